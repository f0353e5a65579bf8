"""Scripts for a server: how it is at first, what goes wrong, and what changes when. They are TOML files."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from watui.simulator.conditions import Changes, Conditions
from watui.simulator.faults import Fault, explained

_FOLDER = "scenarios"

Seconds = Annotated[float, Meta(ge=0, le=7 * 24 * 3600)]
Count = Annotated[int, Meta(ge=0, le=64_000)]
Some = Annotated[int, Meta(ge=0, le=1_000)]


class BadScenario(ValueError):
    """A scenario that can't be played; the message names the file, the line and the reason."""


class Start(Changes, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the server is when the scenario begins."""

    blocked: Count = 0
    """Contacts that are on the blocklist already."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.faults is not UNSET:
            raise ValueError("faults of a scenario are given as [[fault]]")


class Step(Changes, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What changes at a time."""

    seconds: Seconds
    """After the first check since the scenario was chosen."""
    every: Annotated[float, Meta(ge=0.1)] | None = None
    """Seconds after which the step comes again, and again."""
    expire_tokens: bool = False
    """Whether every token that a login gave becomes useless."""
    block: Some = 0
    """Contacts that somebody else blocks."""
    unblock: Some = 0
    """Contacts that somebody else unblocks, the oldest blocks first."""
    inbound: tuple[str, ...] = ()
    """Numbers whose contacts write to us."""
    identity: tuple[str, ...] = ()
    """Numbers whose contacts get another identity."""
    appear: tuple[str, ...] = ()
    """Numbers that get an account."""
    vanish: tuple[str, ...] = ()
    """Numbers that lose theirs."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A script for a server."""

    title: str
    about: str
    """What there is to learn from it, in two sentences."""
    name: str = ""
    start: Start = Start()
    fault: tuple[Fault, ...] = ()
    at: tuple[Step, ...] = ()

    def begin(self, conditions: Conditions) -> Conditions:
        """Return what becomes of `conditions` when the scenario begins."""
        begun = self.start.applied_to(conditions)
        return msgspec.structs.replace(begun, faults=(*begun.faults, *self.fault))

    def steps(self, after: float, until: float) -> Iterator[tuple[float, Step]]:
        """Yield the steps later than second `after` and not later than `until`, in order, each with its second."""
        due = [(second, place, step) for place, step in enumerate(self.at) for second in _seconds(step, after, until)]
        for second, _, step in sorted(due, key=lambda each: each[:2]):
            yield second, step


MOST_REPEATS = 500
"""Of one step, that a long silence makes up for at once."""


def _seconds(step: Step, after: float, until: float) -> list[float]:
    if step.every is None:
        return [step.seconds] if after < step.seconds <= until else []
    first = max(0, int((after - step.seconds) // step.every) + 1) if after >= step.seconds else 0
    last = int((until - step.seconds) // step.every)
    return [step.seconds + turn * step.every for turn in range(max(first, last - MOST_REPEATS + 1), last + 1)]


@cache
def shipped() -> tuple[Scenario, ...]:
    """Return the scenarios that come with watui, the plainest first."""
    found = (_parse(file.read_text("utf-8"), file.name) for file in _files())
    return tuple(sorted(found, key=lambda scenario: scenario.name != CALM))


CALM = "calm"
"""The scenario in which nothing goes wrong."""


def find(name: str) -> Scenario:
    """Return the scenario that is shipped by `name`, or that the file `name` holds. Raises BadScenario."""
    path = Path(name)
    if path.suffix != ".toml":
        try:
            return find_shipped(name)
        except BadScenario as error:
            raise BadScenario(f"{error}; a file of your own must end in .toml") from error
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadScenario(f"cannot read {name}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    return _parse(text, name)


def find_shipped(name: str) -> Scenario:
    """Return the scenario that is shipped by `name`. Raises BadScenario."""
    files = {Path(file.name).stem: file for file in _files()}
    if name not in files:
        raise BadScenario(f"there is no scenario {name!r}: there are {', '.join(files)}")
    return _parse(files[name].read_text("utf-8"), name)


def _parse(text: str, name: str) -> Scenario:
    try:
        members = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words, _, place = str(error).rstrip(")").partition(" (at ")
        line = place.partition(",")[0] if place.startswith("line") else f"line {len(text.splitlines())}"
        raise BadScenario(f"{name}, {line}: {words}") from error
    try:
        found = msgspec.convert(members, Scenario)
    except msgspec.ValidationError as error:
        raise BadScenario(f"{name}, line {_line(text, str(error))}: {explained(error)}") from error
    return msgspec.structs.replace(found, name=Path(name).stem)


_LONG_TEXT = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'', re.DOTALL)


def _line(text: str, words: str) -> int:
    """Return the line of the TOML `text` that a message of msgspec such as `… - at `$.at[1].latency`` means."""
    what, _, place = words.partition(" - at `$")
    lines = _LONG_TEXT.sub(lambda match: "\n" * match[0].count("\n"), text).splitlines() or [""]
    first = 0
    for name, index in re.findall(r"\.(\w+)(?:\[(\d+)\])?", place):
        first = _place(lines, first, name, int(index or 0))
    unknown = re.search(r"unknown field `(.+?)`", what)
    # Where a member has a value that can't be, our own words begin with its name.
    return _place(lines, first, unknown[1] if unknown else what.partition(" ")[0], 0) + 1


def _place(lines: list[str], first: int, name: str, index: int) -> int:
    """Return the place of the line where `name`, or the `index`-th of that name, is given; `first` where it is not."""
    member = _member(lines, first, name)
    if member is not None:
        braces = [number for number, line in enumerate(lines[member:], member) for _ in range(line.count("{"))]
        return braces[index] if index < len(braces) and "[" in lines[member] else member
    headers = [number for number, line in enumerate(lines[first:], first) if _is_header(line, name)]
    return headers[min(index, len(headers) - 1)] if headers else first


def _is_header(line: str, name: str) -> bool:
    """Whether `line` begins a table whose name is `name`, or ends in it."""
    return re.match(rf"\s*\[\[?\s*(\w+\s*\.\s*)*{re.escape(name)}\s*\]", line) is not None


def _member(lines: list[str], first: int, name: str) -> int | None:
    """Return the place of the line that sets `name`, in the table that begins at `first`; None where none does."""
    for number, line in enumerate(lines[first:], first):
        if number > first and line.lstrip().startswith("["):
            return None
        if re.match(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=", line):
            return number
    return None


def _folder() -> Traversable:
    return resources.files("watui.simulator") / _FOLDER


def _files() -> list[Traversable]:
    return sorted((file for file in _folder().iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
