"""The registry of commands: bindings, palette, help, the key bar and the README's key table are made from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from textual.binding import Binding, BindingType


class Scope(StrEnum):
    """Where a command works."""

    EVERYWHERE = "everywhere"
    CHECK = "check"
    SIMULATOR = "simulator"
    """The simulator's panel, while it has the keys."""


class Phase(Enum):
    """Where the list on the Check screen stands."""

    EMPTY = "empty"
    IMPORTING = "importing"
    PREVIEW = "preview"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


_WITH_ROWS = frozenset({Phase.PREVIEW, Phase.RUNNING, Phase.PAUSED, Phase.ENDED})
_ALWAYS = frozenset(Phase)


@dataclass(frozen=True)
class Command:
    """Something a person can do with a key."""

    id: str
    """Name of the action: `action_<id>` does it."""
    title: str
    """A few words, for the key bar."""
    keys: tuple[str, ...]
    """The first is the one that is shown."""
    scope: Scope
    help: str
    """One sentence."""
    phases: frozenset[Phase] = _ALWAYS
    """When the key bar offers it."""
    in_bar: bool = True
    is_destructive: bool = False
    """Whether it asks first."""


COMMANDS: tuple[Command, ...] = (
    Command(
        "start",
        "start",
        ("enter",),
        Scope.CHECK,
        "Ask the server about all numbers of the preview.",
        frozenset({Phase.PREVIEW}),
    ),
    Command(
        "back",
        "discard",
        ("escape",),
        Scope.CHECK,
        "One step back: close the search, show all rows, discard the preview.",
        frozenset({Phase.IMPORTING, Phase.PREVIEW}),
        is_destructive=True,
    ),
    Command(
        "pause",
        "pause",
        ("p",),
        Scope.CHECK,
        "Pause the run; answers under way still come in. Again: go on.",
        frozenset({Phase.RUNNING}),
    ),
    Command("pause", "resume", ("p",), Scope.CHECK, "", frozenset({Phase.PAUSED})),
    Command(
        "cancel",
        "cancel",
        ("x",),
        Scope.CHECK,
        "End the run early; what is known is kept.",
        frozenset({Phase.RUNNING, Phase.PAUSED}),
        is_destructive=True,
    ),
    Command(
        "import",
        "import",
        ("i",),
        Scope.CHECK,
        "Import a file: .txt, .csv or .tsv. In the preview it is added to the list.",
        frozenset({Phase.EMPTY, Phase.PREVIEW, Phase.ENDED}),
    ),
    Command(
        "sample",
        "sample",
        ("s",),
        Scope.CHECK,
        "Load sample numbers (simulator only).",
        frozenset({Phase.EMPTY}),
    ),
    Command("search", "search", ("slash",), Scope.CHECK, "Show only rows that hold a text.", _WITH_ROWS),
    Command("status", "status", ("f",), Scope.CHECK, "Show only rows of one status; again for the next.", _WITH_ROWS),
    Command("copy", "copy", ("c",), Scope.CHECK, "Copy the numbers of the rows shown.", _WITH_ROWS),
    Command("export", "export", ("e",), Scope.CHECK, "Export the rows shown to a .csv or .jsonl file.", _WITH_ROWS),
    Command(
        "new",
        "new list",
        ("n",),
        Scope.CHECK,
        "Begin with a new list; the run that ended stays in the ledger.",
        frozenset({Phase.ENDED}),
    ),
    Command(
        "simulator",
        "simulator",
        ("v",),
        Scope.CHECK,
        "Open or close the simulator's panel: version, scenario, faults, and what the server did.",
    ),
    Command("setting(-1)", "", ("up", "k"), Scope.SIMULATOR, "Go to the setting above.", in_bar=False),
    Command("setting(1)", "setting", ("down", "j"), Scope.SIMULATOR, "Go to the setting below."),
    Command("choose(-1)", "", ("left", "h"), Scope.SIMULATOR, "Choose the value before.", in_bar=False),
    Command("choose(1)", "change", ("right", "l"), Scope.SIMULATOR, "Choose the next value; it holds at once."),
    Command(
        "reset_world",
        "reset",
        ("R",),
        Scope.CHECK,
        "Let the simulator's world begin anew: nobody blocked, nothing asked.",
        frozenset(),
        is_destructive=True,
    ),
    Command("help", "help", ("question_mark", "f1"), Scope.EVERYWHERE, "Show what every key does."),
    Command(
        "palette", "palette", ("ctrl+p",), Scope.EVERYWHERE, "Find a command by name, or choose a theme.", in_bar=False
    ),
    Command("quit", "quit", ("q", "ctrl+q"), Scope.EVERYWHERE, "Leave; asks first where something would be lost."),
)


_KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def key_names(command: Command) -> list[str]:
    """Return the keys of `command` as people write them, the one to show first."""
    return [_KEY_NAMES.get(key, key) for key in command.keys]


def described() -> Iterable[Command]:
    """Return each command once, with its help."""
    return (command for command in COMMANDS if command.help)


def bindings(scope: Scope) -> list[BindingType]:
    """Return the bindings of `scope`. Textual binds the palette and ctrl+q itself."""
    return [
        Binding(",".join(command.keys), command.id, command.title, show=False)
        for command in described()
        if command.scope is scope and command.id != "palette"
    ]


def bar(phase: Phase) -> list[Command]:
    """Return what the key bar offers in `phase`, the most useful first."""
    return [
        command
        for command in COMMANDS
        if command.in_bar and phase in command.phases and command.scope is not Scope.SIMULATOR
    ]


def panel_bar(phase: Phase) -> list[Command]:
    """Return what the key bar offers in `phase` while the simulator's panel has the keys."""
    named = {"simulator", "reset_world"} | ({"start"} if phase is Phase.PREVIEW else set())
    return [
        command
        for command in COMMANDS
        if command.in_bar and (command.scope in (Scope.SIMULATOR, Scope.EVERYWHERE) or command.id in named)
    ]
