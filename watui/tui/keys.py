"""Which keys commands have: those of the registry, or those that a person's settings give them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache

from textual.binding import Binding
from textual.keys import KEY_DISPLAY_ALIASES, REPLACED_KEYS, Keys, key_to_character

from watui.text import clean
from watui.tui.commands import Command, Scope, described, together

OwnKeys = Mapping[str, tuple[str, ...]]
"""Other keys than those of the registry, as people write them, by the name of the command."""

_IN_USE: ContextVar[OwnKeys] = ContextVar("keys", default={})  # noqa: B039  Nobody changes it.

_MOVING = ("up", "down", "left", "right", "k", "j", "g", "G", "pageup", "pagedown", "home", "end", "tab", "shift+tab")

_FIXED = {
    **dict.fromkeys(_MOVING, "moves in lists"),
    **dict.fromkeys(("ctrl+c", "super+c"), "copies what is selected"),
    "ctrl+q": "leaves watui",
}
"""What keys do wherever they are pressed; only a command that has one anyway may keep it."""

_COMMANDS = {command.name: command for command in described()}

_UNCHANGED = frozenset({"everywhere.palette"})
"""Commands that Textual binds itself."""

_NAMED = frozenset(str(key.value) for key in Keys if key.value.isalnum()) - {Keys.Return.value}
"""Keys of no character, as Textual calls them; no terminal sends that one, but enter."""

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
"""In the order in which Textual has them before a key."""

_SHOWN = {"escape": "esc", "up": "↑", "down": "↓", "left": "←", "right": "→"}


def key_names(command: Command) -> list[str]:
    """Return the keys of `command` as people write them, the one to show first."""
    return _keys(command, _IN_USE.get())


def key_of(name: str) -> str:
    """Return the key of the command of that name as people write it, for words to say; of several the first."""
    return key_names(_COMMANDS[name])[0]


def is_key_of(key: str, names: Collection[str]) -> bool:
    """Whether a key, as Textual calls it, is one of a command that is among `names`."""
    return any(_shown(key) in key_names(_COMMANDS[name]) for name in names)


def use_keys(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Give commands other keys from now on, in this context; `wanted` holds keys with commas between by command.

    Return what of it holds, as Textual wants it, and what is wrong with the rest, a sentence each.
    """
    given: dict[str, tuple[str, ...]] = {}
    problems: dict[str, str] = {}
    for name, text in wanted.items():
        keys = tuple(_shown(key.strip()) for key in text.split(",") if key.strip())
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
    return {name: ",".join(map(_called, keys)) for name, keys in given.items()}, told


def _keys(command: Command, given: OwnKeys) -> list[str]:
    return list(given[command.name]) if command.name in given else [_shown(key) for key in command.keys]


_UNBOUND = {" ": "space", ",": "comma"}
"""Characters that Textual takes for something between keys."""


def _parts(key: str) -> tuple[list[str], str]:
    """Return the modifiers of a key, and the key that they are held with; that may be a plus."""
    *modifiers, last = key[:-1].split("+")
    return modifiers, last + key[-1:]


def _called(key: str) -> str:
    """Return what Textual calls a key that people write so: `/` is `slash`, `esc` is `escape`."""
    modifiers, last = _parts(key)
    called = {shown: name for name, shown in _SHOWN.items()}
    return "+".join([*modifiers, called.get(last) or _name(last)])


def _name(character: str) -> str:
    """Return what Textual calls the key of a character; what is none is returned as it is."""
    if character in _UNBOUND or len(character) != 1:
        return _UNBOUND.get(character, character)
    (binding,) = Binding.make_bindings([Binding(character, "")])
    return binding.key


@lru_cache
def _shown(key: str) -> str:
    """Return a key, written either way, as people write it."""
    modifiers, last = _parts(key)
    character = None if last in _NAMED else key_to_character(REPLACED_KEYS.get(last, last))
    if character is None or not character.isprintable() or _name(character) != _name(last):
        character = _SHOWN.get(last, last)
    return "+".join([*modifiers, character])


def _problem(name: str, keys: Sequence[str]) -> str | None:
    """Return why a command can't have `keys`, whatever keys others have."""
    named = _COMMANDS.get(name)
    if named is None or name in _UNCHANGED:
        return f"there is no command {name}; their names are in the README"
    if not keys:
        return f"{name} would have no key at all"
    for key in keys:
        if not _may_come(key):
            meant = _meant(key)
            return f"{key} is no key{f', {meant} is' if meant else ''}: {name} keeps its own keys"
        if (called := _called(key)) in _FIXED and called not in named.keys:
            return f"{key} {_FIXED[called]}: {name} keeps its own keys"
    return None


def _may_come(key: str) -> bool:
    """Whether there is such a key."""
    modifiers, last = _parts(key)
    if [modifier for modifier in _MODIFIERS if modifier in modifiers] != modifiers:
        return False
    if _called(last) in _NAMED:
        return True
    # What is held with a letter makes another one of it: shift+a comes as A.
    is_other = modifiers == ["shift"] or (modifiers and last.isupper())
    return len(last) == 1 and last.isprintable() and not is_other


def _meant(key: str) -> str | None:
    """Return the key that somebody may have meant who wrote `key`; None where nobody can tell."""
    from difflib import get_close_matches

    held, last = _parts(key.lower().replace("control", "ctrl").replace("-", "+"))
    modifiers = [modifier for modifier in _MODIFIERS if modifier in held]
    if modifiers == ["shift"] and len(last) == 1:
        return last.upper()
    called = {shown: name for name, shown in KEY_DISPLAY_ALIASES.items()}
    guesses = (called.get(last, last), *get_close_matches(last, _NAMED, 1))
    found = (_shown("+".join([*modifiers, guess])) for guess in guesses)
    return next((each for each in found if len(modifiers) == len(held) and _may_come(each)), None)


def _clashes(given: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield the commands that want a key of another one, with the reason; of two wishes the later one first."""
    for name, keys in reversed(given.items()):
        for key in keys:
            if (other := _holder(key, name, given)) is not None:
                yield name, f"{key} is the key of {other.name}: {name} keeps its own keys"


def _holder(key: str, wanting: str, given: OwnKeys) -> Command | None:
    """Return the command that has a key wherever the one that is `wanting` it would have it."""
    scope = _COMMANDS[wanting].scope
    for command in _COMMANDS.values():
        if command.name != wanting and _are_together(command.scope, scope) and key in _keys(command, given):
            return command
    return None


def _are_together(one: Scope, other: Scope) -> bool:
    """Whether the commands of both scopes work at once somewhere."""
    return any(one in scopes and other in scopes for scopes in _scopes_at_once())


def _scopes_at_once() -> Iterator[tuple[Scope, ...]]:
    return (together(scope) for scope in Scope)
