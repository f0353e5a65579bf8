"""Which keys commands have: those of the registry, or those that a person's settings give them."""

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar

from textual.binding import Binding
from textual.keys import KEY_DISPLAY_ALIASES, Keys, format_key

from watui.text import clean
from watui.tui.commands import COMMANDS, Command, Scope, described, together

OwnKeys = Mapping[str, tuple[str, ...]]
"""Other keys than those of the registry, by the name of the command."""

_IN_USE: ContextVar[OwnKeys] = ContextVar("keys", default={})  # noqa: B039  Nobody changes it.

_MOVING = ("up", "down", "left", "right", "k", "j", "g", "G", "pageup", "pagedown", "home", "end", "tab", "shift+tab")

_FIXED = {
    **dict.fromkeys(_MOVING, "moves in lists"),
    **dict.fromkeys(("ctrl+c", "super+c"), "copies what is selected"),
    "ctrl+q": "leaves watui",
}
"""What keys do wherever they are pressed; only a command that has one anyway may keep it."""

_UNCHANGED = frozenset({"everywhere.palette"})
"""Commands that Textual binds itself."""

_NAMED = frozenset(str(key.value) for key in Keys if key.value.isalnum()) - {Keys.Return.value}
"""Keys of no character, as Textual calls them; no terminal sends that one, but enter."""

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
"""In the order in which Textual has them before a key."""

_SHOWN = {"escape": "esc", "up": "↑", "down": "↓", "left": "←", "right": "→"}


def key_names(command: Command) -> list[str]:
    """Return the keys of `command` as people write them, the one to show first."""
    return [_shown(key) for key in _IN_USE.get().get(command.name, command.keys)]


def use_keys(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Give commands other keys from now on, in this context; `wanted` holds keys with commas between by command.

    Return what of it holds, as Textual wants it, and what is wrong with the rest, a sentence each.
    """
    given: dict[str, tuple[str, ...]] = {}
    problems: dict[str, str] = {}
    for name, text in wanted.items():
        keys = _read(text)
        if (problem := _problem(name, keys)) is None:
            given[name] = keys
        else:
            problems[name] = problem
    # Who is refused has its own keys again, of which another may have wished for one.
    while (clash := next(_clashes(given), None)) is not None:
        name, problems[name] = clash
        del given[name]
    _IN_USE.set(given)
    told = [clean(f"keys: {problems[name]}") for name in wanted if name in problems]
    return {name: ",".join(keys) for name, keys in given.items()}, told


def _read(text: str) -> tuple[str, ...]:
    """Return keys as Textual calls them: `/` is `slash`, `esc` is `escape`."""
    named = {shown: key for key, shown in _SHOWN.items()}
    keys = [key.strip() for key in text.split(",") if key.strip()]
    return tuple("+".join([*modifiers, named.get(last, _name(last))]) for *modifiers, last in map(_parts, keys))


def _parts(key: str) -> list[str]:
    """Return the modifiers of a key, and the key that they are held with; that may be a plus."""
    *modifiers, last = key[:-1].split("+")
    return [*modifiers, last + key[-1:]]


def _name(character: str) -> str:
    """Return what Textual calls the key of a character; what is none is returned as it is."""
    if len(character) != 1:
        return character
    (binding,) = Binding.make_bindings([Binding(character, "")])
    return binding.key


def _shown(key: str) -> str:
    """Return a key as people write it."""
    *modifiers, last = _parts(key)
    return "+".join([*modifiers, _SHOWN.get(last) or (last if last in _NAMED else format_key(last))])


def _problem(name: str, keys: Sequence[str]) -> str | None:
    """Return why a command can't have `keys`, whatever keys others have."""
    named = next((command for command in described() if command.name == name), None)
    if named is None or name in _UNCHANGED:
        return f"there is no command {name}; their names are in the README"
    if not keys:
        return f"{name} would have no key at all"
    for key in keys:
        if not _may_come(key):
            meant = _meant(key)
            called = f", {_shown(meant)} is" if meant is not None else ""
            return f"{_shown(key)} is no key{called}: {name} keeps its own keys"
        if key in _FIXED and key not in named.keys:
            return f"{key} {_FIXED[key]}: {name} keeps its own keys"
    return None


def _may_come(key: str) -> bool:
    """Whether there is such a key, as Textual calls it."""
    *modifiers, last = _parts(key)
    if [modifier for modifier in _MODIFIERS if modifier in modifiers] != modifiers:
        return False
    if last in _NAMED:
        return True
    character = format_key(last)
    is_character = len(character) == 1 and character.isprintable() and _name(character) == last
    # What is held with a letter makes another one of it: shift+a comes as A.
    return is_character and (not modifiers or (modifiers != ["shift"] and not character.isupper()))


def _meant(key: str) -> str | None:
    """Return the key that somebody may have meant who wrote `key`; None where nobody can tell."""
    from difflib import get_close_matches

    *held, last = key[:-1].lower().replace("control", "ctrl").replace("-", "+").split("+")
    last += key[-1:].lower()
    modifiers = [modifier for modifier in _MODIFIERS if modifier in held]
    if modifiers == ["shift"] and len(last) == 1:
        return _name(last.upper())
    called = {shown: name for name, shown in KEY_DISPLAY_ALIASES.items()}
    guesses = (called.get(last, _name(last)), *get_close_matches(last, _NAMED, 1))
    found = ("+".join([*modifiers, guess]) for guess in guesses)
    return next((each for each in found if len(modifiers) == len(held) and _may_come(each)), None)


def _clashes(given: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield the commands that want a key of another one, with the reason; of two wishes the later one first."""
    for name, keys in reversed(given.items()):
        for key in keys:
            if (other := _holder(key, name, given)) is not None:
                yield name, f"{_shown(key)} is the key of {other.name}: {name} keeps its own keys"


def _holder(key: str, wanting: str, given: OwnKeys) -> Command | None:
    """Return the command that has a key wherever the one that is `wanting` it would have it."""
    scope = next(command.scope for command in COMMANDS if command.name == wanting)
    for command in COMMANDS:
        if command.name == wanting or not _are_together(command.scope, scope):
            continue
        if key in given.get(command.name, command.keys):
            return command
    return None


def _are_together(one: Scope, other: Scope) -> bool:
    """Whether the commands of both scopes work at once somewhere."""
    return any(one in scopes and other in scopes for scopes in _scopes_at_once())


def _scopes_at_once() -> Iterator[tuple[Scope, ...]]:
    return (together(scope) for scope in Scope)
