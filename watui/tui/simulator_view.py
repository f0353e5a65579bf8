"""What the simulator's panel shows, and what its choices change: pure functions from the simulator's state."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from textual.content import Content

from watui.contract.rules import CONTACTS_PATH, RATE_LIMIT
from watui.contract.statuses import KNOWN_VERSIONS
from watui.simulator.conditions import Changes
from watui.simulator.control import State
from watui.simulator.faults import Fault, Kind
from watui.simulator.population import DEFAULT_LATENCY, ENGAGED_SHARE
from watui.simulator.record import Latest
from watui.simulator.scenario import CALM, Scenario
from watui.text import clean, counted
from watui.tui.themes import DIM
from watui.zone import ZONE

FAULT_SHARE = 0.2
"""Of the requests about contacts, how many a fault hits that is picked in the panel."""

LATENCIES = ("none", "0.3,1", str(DEFAULT_LATENCY), "8,60")
ENGAGED_SHARES = (0.0, ENGAGED_SHARE, 1.0)
NO_FAULT, OFF, ON = "none", "off", "on"

NAME_WIDTH = 11
_VALUE_WIDTH = 24


class Setting(NamedTuple):
    """Something about the simulator that a person can choose."""

    name: str
    value: str
    choices: Sequence[str]
    hint: str = ""
    """What the value means."""

    def neighbour(self, step: int) -> str:
        """Return the choice `step` places after the one that holds, going round at the ends."""
        choices = list(self.choices)
        place = choices.index(self.value) if self.value in choices else -1 if step > 0 else 0
        return choices[(place + step) % len(choices)]


def settings(state: State, scenarios: Sequence[Scenario]) -> list[Setting]:
    """Return what can be chosen, in the order in which it is shown."""
    now = state.conditions
    return [
        Setting("version", now.version, KNOWN_VERSIONS),
        Setting("scenario", state.scenario or CALM, [scenario.name for scenario in scenarios]),
        Setting("latency", state.latency, LATENCIES, "s: median, 99 %"),
        Setting("fault", _fault_words(now.faults), [NO_FAULT, *map(_picked_words, Kind)]),
        Setting("rate limit", ON if now.rate_limit else OFF, (OFF, ON), f"429 above {RATE_LIMIT:g}/s"),
        Setting("engaged", f"{now.engaged:.0%}", [f"{share:.0%}" for share in ENGAGED_SHARES], "wrote within 24 h"),
    ]


def changes(name: str, value: str) -> Changes | str:
    """Return what choosing `value` for the setting `name` changes; a text is the scenario to play."""
    match name:
        case "scenario":
            return value
        case "version":
            return Changes(version=value)
        case "latency":
            return Changes(latency=value)
        case "rate limit":
            return Changes(rate_limit=value == ON)
        case "engaged":
            return Changes(engaged=next(share for share in ENGAGED_SHARES if f"{share:.0%}" == value))
        case "fault":
            kind = next((kind for kind in Kind if _picked_words(kind) == value), None)
            return Changes(faults=(_picked(kind),) if kind is not None else ())
        case _:
            raise ValueError(f"there is no setting {name}")


def setting_lines(found: Sequence[Setting], chosen: int, has_focus: bool) -> Content:
    """Return the settings, a line each; the one at hand is marked."""
    return Content("\n").join(_setting(setting, has_focus and place == chosen) for place, setting in enumerate(found))


def about(state: State, scenarios: Sequence[Scenario]) -> Content:
    """Return what the scenario teaches, and how far its clock is."""
    found = next((scenario for scenario in scenarios if scenario.name == (state.scenario or CALM)), None)
    title, words = (found.title, found.about) if found else (state.title, "")
    clock = f" · {state.seconds:.0f} s" if state.seconds and found and (found.at or found.fault) else ""
    return Content.assemble((clean(title), "bold"), (f"{clock}\n", DIM), (clean(words), DIM))


def head(state: State, is_wide: bool) -> Content:
    """Return the panel's heading: how much the server has done; its trouble comes first where room is scarce."""
    parts = (
        counted(state.requests, "request"),
        counted(state.numbers, "number"),
        f"{state.in_flight:,} processing",
        f"{state.blocked:,} blocked",
    )
    problem = Content.styled(clean(state.problem), "$text-error") if state.problem else None
    if problem and not is_wide:
        return problem
    title, counts = Content.styled("What the server is like", "bold"), Content.styled(", ".join(parts), DIM)
    return Content("\n" if is_wide else "   ").join([title, counts, *([problem] if problem else [])])


def exchange_lines(exchange: Latest) -> Content:
    """Return one exchange as a line, and below it what the world did."""
    path = clean(unquote(exchange.path)).removeprefix("/v1/")
    style = "$text-success" if 200 <= exchange.status < 300 else "$text-error"
    status = (str(exchange.status or "no answer"), style)
    line = Content.assemble((f"{ZONE.clock(exchange.at)} ", DIM), status, f" {exchange.method} {path}")
    return Content("\n").join([line, *(Content.styled(f"   {clean(words)}", DIM) for words in exchange.did)])


def _setting(setting: Setting, is_at_hand: bool) -> Content:
    value = setting.value if len(setting.value) <= _VALUE_WIDTH else f"{setting.value[: _VALUE_WIDTH - 1]}…"
    marks = ("◂", "▸") if is_at_hand else (" ", " ")
    return Content.assemble(
        (f"{setting.name:<{NAME_WIDTH}}", "bold" if is_at_hand else DIM),
        (marks[0], "$primary"),
        (f" {clean(value)} ", "reverse bold" if is_at_hand else "bold"),
        (marks[1], "$primary"),
        (f" {setting.hint}", DIM),
    )


def _picked(kind: Kind) -> Fault:
    return Fault(kind, path=f"{CONTACTS_PATH}*", share=FAULT_SHARE)


def _picked_words(kind: Kind) -> str:
    return f"{kind} {FAULT_SHARE:.0%}"


def _fault_words(faults: Sequence[Fault]) -> str:
    if not faults:
        return NO_FAULT
    if len(faults) == 1 and faults[0] == _picked(faults[0].kind):
        return _picked_words(faults[0].kind)
    return "several" if len(faults) > 1 else f"{faults[0].kind}, its own way"
