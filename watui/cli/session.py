"""A session of commands at one server: a desk, the loop in which its server is asked, and what a failure ends with."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from watui.actions import words
from watui.cli.exits import Exit, ReaderGone, Stop
from watui.cli.options import refuse_output
from watui.cli.talk import hides_numbers, say
from watui.cli.target import find_settings, find_target
from watui.client.failures import Failure, NoCredentials, NotOffered, OverBudget, Refused
from watui.desk import Desk
from watui.files import CannotWrite
from watui.ledger import trail
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Action, Kind, Outcome
from watui.settings.paths import find_paths
from watui.sites import Site

if TYPE_CHECKING:
    from watui.actions.actions import Actions

_Answer = TypeVar("_Answer")


class Session(NamedTuple):
    """A desk, and the loop in which its server is asked. Between two questions ctrl+c ends the program as ever."""

    desk: Desk
    runner: asyncio.Runner
    options: str
    """Those that name the server, for commands that a person may type next."""

    def ask(self, question: Callable[[Actions], Coroutine[Any, Any, _Answer]]) -> _Answer:
        """Connect, ask, and return the answer."""

        async def asked() -> _Answer:
            return await question(await self.desk.actions())

        return self.runner.run(asked())

    def settle(self) -> None:
        """Find out, and say, what became of changes that were cut short. Connects only where there are such."""
        if not trail.unsettled(self.desk.reader, self.desk.server_id):
            return
        try:
            settled = self.ask(lambda actions: actions.settle())
        except (Failure, OSError) as trouble:
            say(f"What became of changes that were cut short cannot be found out now: {str(trouble).rstrip('.')}.")
            return
        for sentence in _settled(settled, self.options):
            say(sentence)


class Where(NamedTuple):
    """The server that a command is for."""

    target: Site
    options: str
    har: Path | None = None
    """Where every request and answer is written."""

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open the desk there. Whatever of it can't be used, and a server that can't, end the command."""
        try:
            with asyncio.Runner() as runner:
                desk = Desk.at(find_paths(), self.target)
                try:
                    with recording(desk, self.har):
                        yield Session(desk, runner, self.options)
                finally:
                    runner.run(desk.close())
        except BrokenPipeError as error:
            raise ReaderGone from error
        except LedgerUnusable as error:
            raise Stop(str(error)) from error
        except CannotWrite as error:
            raise Stop(str(error), Exit.UNFINISHED) from error
        except OSError as error:
            raise Stop(str(error), Exit.UNREACHABLE) from error
        except Failure as failure:
            raise Stop(in_words(failure), code_of(failure)) from failure


def recording(desk: Desk, har: Path | None) -> AbstractContextManager[None]:
    """Write what is said at a desk into a HAR file, where one is wanted. Raises CannotWrite."""
    if har is None:
        return nullcontext()
    from watui.traffic import har as archive

    return archive.recording(desk.exchanges, har, hides_numbers=hides_numbers())


def find_where(url: str | None, profile: str | None, region: str | None, har: Path | None = None) -> Where:
    """Return the server that these options mean. Stops where `har` can't be written."""
    if har is not None:
        refuse_output(har)
    given = (("--url", url), ("--profile", profile))
    options = "".join(f" {name} {shlex.quote(value)}" for name, value in given if value is not None)
    paths = find_paths()
    return Where(find_target(find_settings(paths), paths, url, profile, region), options, har)


def in_words(failure: Failure) -> str:
    """Return what went wrong and what to do, without a full stop at the end."""
    is_foreign = isinstance(failure, Refused) and failure.was_sent and not failure.title.startswith("the server")
    return f"{'the server refused: ' if is_foreign else ''}{failure.title.rstrip('.')}. {failure.next_step.rstrip('.')}"


def code_of(failure: Failure) -> Exit:
    """Return how a command ends that came to nothing."""
    if isinstance(failure, NotOffered | NoCredentials):
        return Exit.USAGE
    if isinstance(failure, OverBudget):
        return Exit.UNFINISHED
    return Exit.REFUSED if isinstance(failure, Refused) else Exit.UNREACHABLE


def _settled(actions: Sequence[Action], options: str) -> Iterator[str]:
    """Yield what became of changes that were cut short; what became of many alike is said once."""
    groups: dict[tuple[int, Outcome, str | None], list[Action]] = {}
    for action in actions:
        groups.setdefault((action.batch_id, action.outcome, action.note), []).append(action)
    for (batch, _, note), (first, *others) in groups.items():
        one = f"Action {first.id} ({first.kind} {first.number or first.input})"
        yield f"{f'{len(others) + 1:,} actions of batch {batch} ({first.kind})' if others else one}: {note}."
        if first.outcome is Outcome.UNKNOWN:
            yield how_to_know(first, options)
    for batch in dict.fromkeys(action.batch_id for action in actions if action.outcome is Outcome.FAILED):
        yield f"'watui actions again {batch}{options}' does what was not done."


def how_to_know(action: Action, options: str) -> str:
    """Return how an unknown outcome becomes known."""
    if action.kind is not Kind.REPORT:
        return f"'watui actions{options}' finds out whether it was {words.DONE_WORDS[action.kind]}."
    return (
        "It is not sent again: that could hand over messages twice. Once you know whether it was reported, say"
        f" 'watui actions decide {action.id} done' or 'watui actions decide {action.id} failed'."
    )
