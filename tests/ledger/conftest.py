"""What the tests of the ledger share: options of a run, and rows of numbers."""

from watui.ledger.rows import NewRow, RunOptions

OPTIONS = RunOptions("simulator", "US", "no_wait", False, 500)


def new_row(line: int, key: str | None) -> NewRow:
    """Return the row of the number `key`, or a rejected row."""
    if key is None:
        return NewRow(line, f"rejected {line}", None, None, None, None, "no digits")
    return NewRow(line, f"({key}) {line}", key, f"+1{key}", "US", "too short" if len(key) < 2 else None, None)
