"""What a shell is told that a word may become, each with what it stands for.

It comes from the files of this machine; none of them is made or changed for it.
"""

from contextlib import closing

from watui.contract.statuses import KNOWN_VERSIONS, Status
from watui.ledger.rows import QUEUED, REJECTED
from watui.settings.paths import find_paths
from watui.settings.settings import SIMULATOR, BadSettings, load


def profiles() -> dict[str, str]:
    """Return all profiles, each with its URL."""
    return {SIMULATOR: "embedded"} | named_profiles()


def named_profiles() -> dict[str, str]:
    """Return the profiles of the settings, each with its URL."""
    try:
        return {name: profile.url or "" for name, profile in load(find_paths().settings).profiles.items()}
    except BadSettings:
        return {}


def open_runs() -> dict[str, str]:
    """Return the runs that can be gone on with, the latest first."""
    return runs("unfinished", "draft")


def runs(*states: str) -> dict[str, str]:
    """Return the runs, or those in one of the `states`, the latest first."""
    from watui.checks.rows import run_row
    from watui.ledger.reader import Reader
    from watui.ledger.schema import SCHEMA_VERSION, LedgerUnusable, version_at

    paths = find_paths()
    try:
        if version_at(paths.ledger) != SCHEMA_VERSION:
            return {}
        with closing(Reader(paths.ledger)) as reader:
            found = [run_row(each, paths.locks) for each in reader.runs()]
    except LedgerUnusable:
        return {}
    return {str(each.run_id): f"{each.state}, {each.source}" for each in found if not states or each.state in states}


def scenarios() -> dict[str, str]:
    """Return the scenarios that the simulator can play."""
    from watui.simulator.scenario import shipped

    return {scenario.name: scenario.title for scenario in shipped()}


def statuses() -> dict[str, str]:
    """Return the statuses that rows can have."""
    return dict.fromkeys([*Status, QUEUED, REJECTED], "")


def versions() -> dict[str, str]:
    """Return the versions of servers that are known."""
    return dict.fromkeys(KNOWN_VERSIONS, "")
