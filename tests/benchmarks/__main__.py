"""Measures what the console costs, against baselines of the same run: python -m tests.benchmarks [PART …] [--json]

A part is one of PARTS, or an id such as S4, which measures the part that it is in. A figure that is short of its
target is told as such; nothing fails.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version

from tests.benchmarks.figures import HEADER, Figure, cells, table

PARTS: dict[str, tuple[str, ...]] = {
    "intake": ("S4", "S13"),
    "pipeline": ("S12",),
    "start": ("S1", "S2", "S3"),
    "table": ("S5", "S6", "S14"),
    "line": ("S7", "S8", "S9", "slow line"),
    "polling": ("S10", "S11"),
}
"""The modules beside this one, each with what it measures, in order. Its `measure()` yields Figures."""


def _measure(part: str) -> Callable[[], Iterator[Figure]]:
    measure: Callable[[], Iterator[Figure]] = import_module(f"tests.benchmarks.{part}").measure
    return measure


def _wanted(names: list[str]) -> list[str]:
    known = {name: part for part, ids in PARTS.items() for name in (part, *ids)}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = {known[name] for name in names} or set(PARTS)
    return [part for part in PARTS if part in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="one JSON object a figure instead of the table")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    for part in _wanted(arguments.parts):
        for figure in _measure(part)():
            figures.append(figure)
            if arguments.json:
                print(json.dumps({**figure._asdict(), "ratio": figure.ratio, "is_ok": figure.is_ok}), flush=True)
            else:
                print(*cells(figure), sep="  ", file=sys.stderr, flush=True)
    if not arguments.json:
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, Textual {version('textual')}"
        print(f"{machine}\n\n{table([HEADER, *map(cells, figures)])}")


if __name__ == "__main__":
    main()
