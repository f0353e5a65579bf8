"""Which keys commands have: those of the registry, or those that a person's settings give them."""

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar

from textual.binding import Binding

from watui.text import clean
from watui.tui.commands import COMMANDS, Command, Scope, described, together

Keys = Mapping[str, tuple[str, ...]]
"""Other keys than those of the registry, by the name of the command."""

_IN_USE: ContextVar[Keys] = ContextVar("keys", default={})  # noqa: B039  Nobody changes it.

_FIXED = frozenset({"up", "down", "left", "right", "k", "j", "g", "G", "pageup", "pagedown", "home", "end", "tab"})
"""What moves in lists and between them."""

_UNCHANGED = frozenset({"everywhere.palette"})
"""Commands that Textual binds itself."""

_NAMES = {
    "question_mark": "?",
    "dollar_sign": "$",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "slash": "/",
    "plus": "+",
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def key_names(command: Command) -> list[str]:
    """Return the keys of `command` as people write them, the one to show first."""
    return [_NAMES.get(key, key) for key in _IN_USE.get().get(command.name, command.keys)]


def use_keys(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Give commands other keys from now on, in this context; `wanted` holds keys with commas between by command.

    Return what of it holds, as Textual wants it, and what is wrong with the rest, a sentence each.
    """
    given: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for name, text in wanted.items():
        keys = _read(text)
        problem = _problem(name, keys, given)
        if problem is None:
            given[name] = keys
        else:
            problems.append(clean(f"keys: {problem}"))
    _IN_USE.set(given)
    return {name: ",".join(keys) for name, keys in given.items()}, problems


def _read(text: str) -> tuple[str, ...]:
    """Return keys as Textual calls them: `/` is `slash`, `esc` is `escape`."""
    shown = {shown: key for key, shown in _NAMES.items()}
    keys = [key.strip() for key in text.split(",") if key.strip()]
    bindings = Binding.make_bindings([Binding(shown.get(key, key), "") for key in keys])
    return tuple(binding.key for binding in bindings)


def _problem(name: str, keys: Sequence[str], given: Keys) -> str | None:
    named = next((command for command in described() if command.name == name), None)
    if named is None or name in _UNCHANGED:
        return f"there is no command {name}; their names are in the README"
    if not keys:
        return f"{name} would have no key at all"
    for key in keys:
        if key in _FIXED:
            return f"{key} moves in lists: {name} keeps its own keys"
        if (other := _holder(key, named, given)) is not None:
            return f"{key} is the key of {other.name}: {name} keeps its own keys"
    return None


def _holder(key: str, wanting: Command, given: Keys) -> Command | None:
    """Return the command that has a key wherever `wanting` would have it."""
    for command in COMMANDS:
        if command.name == wanting.name or not _are_together(command.scope, wanting.scope):
            continue
        if key in given.get(command.name, command.keys):
            return command
    return None


def _are_together(one: Scope, other: Scope) -> bool:
    """Whether the commands of both scopes work at once somewhere."""
    return any(one in scopes and other in scopes for scopes in _scopes_at_once())


def _scopes_at_once() -> Iterator[tuple[Scope, ...]]:
    return (together(scope) for scope in Scope)
