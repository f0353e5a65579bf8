"""What a benchmark measures: a figure against a baseline of the same run, and whether it is as wanted."""

import re
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One line of the table. Where there is a baseline, a limit on the ratio holds for figure / baseline."""

    id: str
    """Such as `S4`."""
    what: str
    value: float
    unit: str
    baseline: float | None = None
    most: float | None = None
    """Of the figure itself."""
    most_ratio: float | None = None
    least_ratio: float | None = None
    against: str = ""
    """What the baseline is."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def target(self) -> str:
        """What is wanted, in words; empty for a figure that is only told."""
        wanted = []
        if self.most_ratio is not None:
            wanted.append(f"≤ {self.most_ratio:g}×")
        if self.least_ratio is not None:
            wanted.append(f"≥ {self.least_ratio:g}×")
        if self.most is not None:
            wanted.append(f"≤ {self.most:g} {self.unit}")
        return ", ".join(wanted)

    @property
    def is_ok(self) -> bool:
        """Whether it keeps every limit that it has."""
        ratio = self.ratio
        return (
            (self.most is None or self.value <= self.most)
            and (self.most_ratio is None or (ratio is not None and ratio <= self.most_ratio))
            and (self.least_ratio is None or (ratio is not None and ratio >= self.least_ratio))
        )


HEADER = ("id", "what", "figure", "baseline", "ratio", "target", "")


def cells(figure: Figure) -> tuple[str, ...]:
    """Return a figure as one row of the table."""
    baseline = "" if figure.baseline is None else f"{_rounded(figure.baseline)} {figure.unit} {figure.against}".strip()
    ratio = "" if figure.ratio is None else f"{_rounded(figure.ratio)}×"
    verdict = ("ok" if figure.is_ok else "short") if figure.target else ""
    return figure.id, figure.what, f"{_rounded(figure.value)} {figure.unit}", baseline, ratio, figure.target, verdict


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows of cells as a Markdown table with aligned columns; the first is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = "|".join("-" * (width + 2) for width in widths)
    first, *rest = (f"| {line} |" for line in lines)
    return "\n".join([first, f"|{rule}|", *rest])


def _rounded(value: float) -> str:
    """Return three significant digits, and no more than that of a whole number."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def memory(pid: int, kind: str) -> int:
    """Return resident memory in MB: `VmRSS` now, `VmHWM` at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{kind}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0
