"""The registry of commands: bindings, palette, help, the key bar and the README's key table are made from it."""

from collections.abc import Iterable, Iterator
from enum import Enum, StrEnum
from typing import NamedTuple

from textual.binding import Binding, BindingType

from watui.ledger.trail import Kind
from watui.tui.phases import ASKED, LEFT_ALONE, Phase, Stage


class Scope(StrEnum):
    """Where a command works."""

    EVERYWHERE = "everywhere"
    SHOWING = "showing"
    """On screens and panels alike: how things are shown."""
    SCREENS = "screens"
    """On every screen that a list fills."""
    CONTACTS = "contacts"
    """Where that is a list of contacts."""
    CHECK = "check"
    BLOCKLIST = "blocklist"
    RUNS = "runs"
    SETTINGS = "settings"
    TRAFFIC = "traffic"
    CONTACT = "contact"
    """A contact's panel."""
    BULK = "bulk"
    """A list that is blocked or unblocked."""
    SIMULATOR = "simulator"
    """The simulator's panel, while it has the keys."""
    TOUR = "tour"
    PAIRS = "pairs"
    """What differs between two runs."""


ALL_OVER = (Scope.SHOWING, Scope.EVERYWHERE)
"""Whose commands are the application's own."""


_WITH_ROWS = ASKED | {Phase.PREVIEW}


class Command(NamedTuple):
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
    phases: frozenset[Enum] | None = None
    """When the key bar offers it; None for always."""
    in_bar: bool = True
    is_destructive: bool = False
    """Whether it asks first."""
    changes: Kind | None = None
    """How it changes a contact at the server, which not every profile and not every server lets it; None for not at
    all."""

    for_simulator: bool = False
    """Whether it does something on the embedded simulator alone."""

    @property
    def name(self) -> str:
        """By which the settings give it other keys; the same for all phases."""
        return f"{self.scope}.{self.id}"

    @property
    def action(self) -> str:
        """What does it, as bindings name that."""
        return f"app.{self.id}" if self.scope in ALL_OVER else self.id


COMMANDS: tuple[Command, ...] = (
    Command(
        "start",
        "start",
        ("enter",),
        Scope.CHECK,
        "Ask the server about the numbers of the preview.",
        frozenset({Phase.PREVIEW}),
    ),
    Command(
        "ask_all",
        "ask all",
        ("A",),
        Scope.CHECK,
        "Ask also about the numbers of the preview that were answered within seven days; again: leave them out.",
        frozenset({Phase.PREVIEW}),
        in_bar=False,
    ),
    Command(
        "back",
        "discard",
        ("escape",),
        Scope.CHECK,
        "One step back: close the search, show all rows, discard the preview; while a list is read, stop reading.",
        frozenset({Phase.PREVIEW}),
        is_destructive=True,
    ),
    Command("back", "stop reading", ("escape",), Scope.CHECK, "", frozenset({Phase.IMPORTING})),
    Command(
        "pause",
        "pause",
        ("p",),
        Scope.CHECK,
        "Pause the run; answers under way still come in. Again: go on, also with a run that was cut short.",
        frozenset({Phase.RUNNING}),
    ),
    Command("pause", "resume", ("p",), Scope.CHECK, "", frozenset({Phase.PAUSED, Phase.STOPPED})),
    Command(
        "cancel",
        "cancel",
        ("x",),
        Scope.CHECK,
        "End the run early; what is known is kept.",
        frozenset({Phase.RUNNING, Phase.PAUSED, Phase.STOPPED}),
        is_destructive=True,
    ),
    Command(
        "budget",
        "budget",
        ("dollar_sign",),
        Scope.CHECK,
        "Show the budget of a profile that has one; enter messages that were sent, or go on over it.",
        in_bar=False,
    ),
    Command("show_check", "check", ("1",), Scope.SCREENS, "Go to the list that is checked.", in_bar=False),
    Command("show_blocklist", "blocklist", ("2",), Scope.SCREENS, "Go to the blocklist.", in_bar=False),
    Command("show_runs", "runs", ("3",), Scope.SCREENS, "Go to all runs: resume, compare, export.", in_bar=False),
    Command("show_settings", "settings", ("4",), Scope.SCREENS, "Go to settings and profiles.", in_bar=False),
    Command("show_traffic", "traffic", ("5",), Scope.SCREENS, "Go to all that was said with the server.", in_bar=False),
    Command(
        "meaning",
        "meaning",
        ("m",),
        Scope.SCREENS,
        "Say what the statuses at hand mean, and why: that depends on the server's version.",
        in_bar=False,
    ),
    Command("edit", "change", ("enter",), Scope.SETTINGS, "Go into the profile, or change the setting at hand."),
    Command("other_list", "other list", ("tab",), Scope.SETTINGS, "Go to the other list.", in_bar=False),
    Command("add", "add", ("a",), Scope.SETTINGS, "Add a profile: a server with a name."),
    Command("test", "test", ("t",), Scope.SETTINGS, "Look whether the server is there, can be trusted, lets you in."),
    Command("login", "log in", ("l",), Scope.SETTINGS, "Log in at the profile's server, or give its token."),
    Command("logout", "log out", ("o",), Scope.SETTINGS, "Revoke the token of the latest login.", in_bar=False),
    Command("pin", "pin", ("p",), Scope.SETTINGS, "Pin the certificate that the server shows.", is_destructive=True),
    Command("use", "use", ("u",), Scope.SETTINGS, "Go on with this profile: the console opens anew."),
    Command(
        "remove",
        "remove",
        ("D",),
        Scope.SETTINGS,
        "Remove the profile, with its secrets.",
        in_bar=False,
        is_destructive=True,
    ),
    Command("back", "back", ("escape",), Scope.SETTINGS, "Back to the list of profiles.", in_bar=False),
    Command("read", "read", ("enter",), Scope.TRAFFIC, "Go into the exchange at hand, to read all of it."),
    Command("follow", "newest", ("end", "G"), Scope.TRAFFIC, "Go to the newest exchange, and follow what comes."),
    Command("raw", "raw/pretty", ("r",), Scope.TRAFFIC, "Show JSON as it was sent, or laid out in lines."),
    Command("find", "search", ("slash",), Scope.TRAFFIC, "Show only exchanges that hold a text, in a path or a body."),
    Command("copy", "curl", ("c",), Scope.TRAFFIC, "Copy the request as a command for curl that names $WATUI_TOKEN."),
    Command(
        "copy_whole",
        "curl and token",
        ("C",),
        Scope.TRAFFIC,
        "Copy the request as a command for curl that holds the token itself.",
        in_bar=False,
        is_destructive=True,
    ),
    Command("export", "save", ("e",), Scope.TRAFFIC, "Save the exchanges shown as a HAR file, without secrets."),
    Command(
        "ask_again",
        "ask again",
        ("a",),
        Scope.TRAFFIC,
        "Send the check at hand once more: the same inputs in a new request.",
        is_destructive=True,
    ),
    Command(
        "back",
        "back",
        ("escape",),
        Scope.TRAFFIC,
        "One step back: to the list of exchanges, then end the search.",
        in_bar=False,
    ),
    Command("open", "open", ("enter", "o"), Scope.RUNS, "Show the run on the Check screen; one under way is watched."),
    Command("resume", "go on", ("p",), Scope.RUNS, "Go on with a run that nobody asks about any more."),
    Command("mark", "mark", ("space",), Scope.RUNS, "Mark the run, to compare another one with it."),
    Command("compare", "compare", ("c",), Scope.RUNS, "Compare the run with the marked one, or the one before it."),
    Command("export", "export", ("e",), Scope.RUNS, "Export the rows of the run to a file."),
    Command(
        "recheck",
        "ask again",
        ("a",),
        Scope.RUNS,
        "Make a new list of what is older than seven days, failed, or never got a final status.",
    ),
    Command(
        "forget",
        "forget",
        ("D",),
        Scope.RUNS,
        "Delete the run, with all traces.",
        is_destructive=True,
    ),
    Command(
        "contact",
        "contact",
        ("enter", "o"),
        Scope.CONTACTS,
        "Open the contact of the row: statuses, identity, what was done to it. In the preview its other key does.",
        ASKED,
    ),
    Command(
        "block",
        "block",
        ("b",),
        Scope.CHECK,
        "Block the contact of the row.",
        ASKED,
        is_destructive=True,
        changes=Kind.BLOCK,
    ),
    Command(
        "block_all",
        "block all shown",
        ("B",),
        Scope.CHECK,
        "Block every number of the rows shown, after a dry run.",
        in_bar=False,
        is_destructive=True,
        changes=Kind.BLOCK,
    ),
    Command(
        "unblock",
        "unblock",
        ("u",),
        Scope.BLOCKLIST,
        "Unblock the marked rows, or the one at hand.",
        is_destructive=True,
        changes=Kind.UNBLOCK,
    ),
    Command("mark", "mark", ("space",), Scope.BLOCKLIST, "Mark the row, or take its mark away."),
    Command("page(1)", "next", ("right", "n"), Scope.BLOCKLIST, "Go to the next page."),
    Command("page(-1)", "previous", ("left", "p"), Scope.BLOCKLIST, "Go to the page before."),
    Command("first_page", "first page", ("less_than_sign",), Scope.BLOCKLIST, "Go to the first page.", in_bar=False),
    Command("last_page", "last page", ("greater_than_sign",), Scope.BLOCKLIST, "Go to the last page.", in_bar=False),
    Command("find", "search", ("slash",), Scope.BLOCKLIST, "Search all pages: the whole list is read for it."),
    Command("jump", "go to", ("t",), Scope.BLOCKLIST, "Go to a place on the list."),
    Command(
        "add",
        "add",
        ("i",),
        Scope.BLOCKLIST,
        "Block the numbers of a file, after a dry run. A paste does the same with what is pasted.",
        is_destructive=True,
        changes=Kind.BLOCK,
    ),
    Command("size", "page size", ("l",), Scope.BLOCKLIST, "Let a page have 50, 100 or 200 entries.", in_bar=False),
    Command("again", "reload", ("ctrl+r",), Scope.BLOCKLIST, "Load the page again."),
    Command(
        "report",
        "report",
        ("r",),
        Scope.CONTACTS,
        "Report the contact of the row to WhatsApp.",
        ASKED,
        is_destructive=True,
        changes=Kind.REPORT,
    ),
    Command(
        "undo",
        "undo",
        ("z",),
        Scope.CONTACTS,
        "Take back the latest block or unblock.",
        frozenset(),
        is_destructive=True,
        changes=Kind.UNBLOCK,
    ),
    Command(
        "clear", "", ("escape",), Scope.BLOCKLIST, "One step back: end the search, take the marks away.", in_bar=False
    ),
    Command(
        "import",
        "import",
        ("i",),
        Scope.CHECK,
        "Import a file: text, table, .xlsx or .vcf. In the preview it is added to the list.",
        frozenset({Phase.EMPTY, Phase.PREVIEW}) | LEFT_ALONE,
    ),
    Command(
        "sample",
        "sample",
        ("s",),
        Scope.CHECK,
        "Load sample numbers (simulator only).",
        frozenset({Phase.EMPTY}),
        for_simulator=True,
    ),
    Command(
        "tour",
        "tour",
        ("T",),
        Scope.CHECK,
        "Take a tour: how the API behaves, in ten steps on a simulator of its own.",
        frozenset({Phase.EMPTY}),
    ),
    Command("turn(1)", "next", ("enter", "right", "n"), Scope.TOUR, "Go to the next step."),
    Command("turn(-1)", "previous", ("left", "p"), Scope.TOUR, "Go back to the step before."),
    Command("meaning", "meaning", ("m",), Scope.TOUR, "Say what statuses mean at the versions of the tour, and why."),
    Command("close", "leave", ("escape", "q"), Scope.TOUR, "Leave the tour."),
    Command("meaning", "meaning", ("m",), Scope.PAIRS, "Say what the statuses of both runs mean, and why."),
    Command("close", "back", ("escape", "enter"), Scope.PAIRS, "Back to the runs."),
    Command("search", "search", ("slash",), Scope.CHECK, "Show only rows that hold a text.", _WITH_ROWS),
    Command("status", "status", ("f",), Scope.CHECK, "Show only rows of one status; again for the next.", _WITH_ROWS),
    Command(
        "arrange",
        "arrange",
        ("a",),
        Scope.CHECK,
        "Arrange the rows: by number, by status, latest answer first; then as given again.",
        _WITH_ROWS,
    ),
    Command("jump", "go to", ("t",), Scope.CHECK, "Go to a row of those shown.", _WITH_ROWS, in_bar=False),
    Command("copy", "copy", ("c",), Scope.CHECK, "Copy the numbers of the rows shown.", _WITH_ROWS),
    Command("export", "export", ("e",), Scope.CHECK, "Export the rows shown to a .csv or .jsonl file.", _WITH_ROWS),
    Command(
        "new",
        "new list",
        ("n",),
        Scope.CHECK,
        "Begin with a new list; this run stays in the ledger.",
        LEFT_ALONE,
    ),
    Command(
        "simulator",
        "simulator",
        ("v",),
        Scope.CHECK,
        "Open or close the simulator's panel: version, scenario, faults, and what the server did.",
        for_simulator=True,
    ),
    Command(
        "list_region",
        "country",
        ("plus",),
        Scope.CHECK,
        "Say of which country the numbers without + are, or that their + was lost; the list is read again.",
        frozenset({Phase.PREVIEW}),
    ),
    Command(
        "column",
        "column",
        ("l",),
        Scope.CHECK,
        "Choose the column of the numbers in what was read last; it is read again.",
        frozenset({Phase.PREVIEW}),
    ),
    Command("block", "block", ("b",), Scope.CONTACT, "Block it.", is_destructive=True, changes=Kind.BLOCK),
    Command("unblock", "unblock", ("u",), Scope.CONTACT, "Unblock it.", is_destructive=True, changes=Kind.UNBLOCK),
    Command(
        "report", "report", ("r",), Scope.CONTACT, "Report it to WhatsApp.", is_destructive=True, changes=Kind.REPORT
    ),
    Command(
        "acknowledge",
        "acknowledge",
        ("a",),
        Scope.CONTACT,
        "Acknowledge its present identity.",
        is_destructive=True,
        changes=Kind.ACKNOWLEDGE,
    ),
    Command(
        "inbound", "let it write", ("w",), Scope.CONTACT, "Let it write to you (simulator only).", for_simulator=True
    ),
    Command("decide", "decide", ("d",), Scope.CONTACT, "Say whether a report was made whose answer was lost."),
    Command("meaning", "meaning", ("m",), Scope.CONTACT, "Say what its statuses mean, and why."),
    Command("close", "back", ("escape",), Scope.CONTACT, "Back to the list."),
    Command(
        "go",
        "send",
        ("enter",),
        Scope.BULK,
        "Begin; for more than ten contacts their number is typed first.",
        frozenset({Stage.PLANNED}),
        is_destructive=True,
        changes=Kind.BLOCK,
    ),
    Command("hold", "pause", ("p",), Scope.BULK, "Send nothing more; again: go on.", frozenset({Stage.RUNNING})),
    Command("hold", "go on", ("p",), Scope.BULK, "", frozenset({Stage.PAUSED})),
    Command(
        "take_back",
        "undo",
        ("z",),
        Scope.BULK,
        "Take back what this list has changed.",
        frozenset({Stage.ENDED}),
        is_destructive=True,
        changes=Kind.UNBLOCK,
    ),
    Command("leave", "back", ("escape",), Scope.BULK, "Back; what was not sent by then is not sent."),
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
        for_simulator=True,
    ),
    Command("help", "help", ("question_mark", "f1"), Scope.EVERYWHERE, "Show what every key does."),
    Command(
        "palette", "palette", ("ctrl+p",), Scope.EVERYWHERE, "Find a command by name, or choose a theme.", in_bar=False
    ),
    Command(
        "mask",
        "hide numbers",
        ("H",),
        Scope.SHOWING,
        "Hide all numbers but their last three digits, also in pictures; again: show them.",
        in_bar=False,
    ),
    Command(
        "screenshot",
        "picture",
        ("S",),
        Scope.SHOWING,
        "Save what is on the screen as a picture (SVG), in the folder in which watui was started.",
        in_bar=False,
    ),
    Command(
        "utc",
        "UTC",
        ("Z",),
        Scope.SHOWING,
        "Tell times in UTC, with a Z behind them; again: in the zone of this machine.",
        in_bar=False,
    ),
    Command(
        "suspend_process",
        "to the shell",
        ("ctrl+z",),
        Scope.EVERYWHERE,
        "Go back to the shell for a while: fg comes back. Nothing is asked meanwhile.",
        in_bar=False,
    ),
    Command("quit", "quit", ("q", "ctrl+q"), Scope.EVERYWHERE, "Leave; asks first where something would be lost."),
)


def described() -> Iterable[Command]:
    """Return each command once, with its help."""
    return (command for command in COMMANDS if command.help)


def bindings(*scopes: Scope) -> list[BindingType]:
    """Return the bindings of `scopes`. Textual binds the palette and ctrl+q itself."""
    return [
        Binding(",".join(command.keys), command.action, command.title, show=False, id=command.name)
        for command in described()
        if command.scope in scopes and command.id != "palette"
    ]


_TOGETHER = {
    Scope.CHECK: (Scope.CHECK, Scope.CONTACTS, Scope.SCREENS, *ALL_OVER),
    Scope.BLOCKLIST: (Scope.BLOCKLIST, Scope.CONTACTS, Scope.SCREENS, *ALL_OVER),
    Scope.RUNS: (Scope.RUNS, Scope.SCREENS, *ALL_OVER),
    Scope.SETTINGS: (Scope.SETTINGS, Scope.SCREENS, *ALL_OVER),
    Scope.TRAFFIC: (Scope.TRAFFIC, Scope.SCREENS, *ALL_OVER),
    **{panel: (panel, Scope.SHOWING) for panel in (Scope.CONTACT, Scope.BULK, Scope.TOUR, Scope.PAIRS)},
}
"""Scopes whose commands work at once; a dialog over a screen has its own alone."""


def together(scope: Scope) -> tuple[Scope, ...]:
    """Return the scopes whose commands work where `scope` has the keys."""
    return _TOGETHER.get(scope, (scope,))


def _offered(is_hiding: bool) -> Iterator[Command]:
    """Yield what a key bar may offer; the key for numbers only while they are hidden, to show them."""
    for command in COMMANDS:
        if command.in_bar:
            yield command
        elif command.id == "mask" and is_hiding:
            yield command._replace(title="show numbers")


def bar(scope: Scope, phase: Enum | None = None, *, is_hiding: bool = False) -> list[Command]:
    """Return what the key bar offers where `scope` has the keys, the most useful first."""
    return [
        command
        for command in _offered(is_hiding)
        if command.scope in together(scope) and (phase is None or command.phases is None or phase in command.phases)
    ]


def panel_bar(phase: Phase, *, is_hiding: bool = False) -> list[Command]:
    """Return what the key bar offers in `phase` while the simulator's panel has the keys."""
    named = {"simulator", "reset_world"} | ({"start"} if phase is Phase.PREVIEW else set())
    return [
        command
        for command in _offered(is_hiding)
        if (command.scope in (Scope.SIMULATOR, *ALL_OVER) or command.id in named)
    ]
