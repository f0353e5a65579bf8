"""Measures the console with a long list in a real terminal: python -m tests.benchmarks.console [ROWS]"""

import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.pty.terminal import Terminal

SIZE = (120, 40)
SECONDS = 1800.0
KEY_PAUSE_SECONDS = 0.2
PAGE_DOWN = b"\x1b[6~"


def memory(pid: int, kind: str) -> int:
    """Return resident memory in MB: `VmRSS` now, `VmHWM` at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{kind}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def generate(path: Path, rows: int) -> None:
    chance = random.Random(1)
    with path.open("w") as file:
        file.write("name,phone\n")
        for row in range(rows):
            area, exchange, line = chance.randint(201, 989), chance.randint(200, 999), chance.randint(0, 9999)
            file.write(f"n{row},+1{area}{exchange}{line:04d}\n")


def key_latency(terminal: Terminal) -> float:
    """Return the seconds from a key to the first byte that is painted after it."""
    terminal.bytes_in(KEY_PAUSE_SECONDS)
    began, before = time.monotonic(), len(terminal.output)
    terminal.send(PAGE_DOWN)
    while len(terminal.output) == before:
        terminal.bytes_in(0.0005)
    return time.monotonic() - began


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WATUI_HOME"] = folder
        source = Path(folder) / "numbers.csv"
        generate(source, rows)
        began = time.monotonic()
        with Terminal(size=SIZE) as terminal:
            terminal.until("load sample")
            print(f"start to first screen      {time.monotonic() - began:8.2f} s")
            terminal.until_quiet()
            print(f"memory, empty              {memory(terminal.pid, 'VmRSS'):8} MB")
            terminal.send(b"i")
            terminal.until("Import numbers")
            terminal.send(str(source).encode())
            terminal.until_quiet()
            began = time.monotonic()
            terminal.send(b"\r")
            terminal.until(r"\+1\d{10}")
            print(f"first rows of {rows:9,}    {time.monotonic() - began:8.2f} s")
            terminal.until("enter asks", SECONDS)
            print(f"imported                   {time.monotonic() - began:8.2f} s")
            began = time.monotonic()
            terminal.send(b"\r")
            terminal.until(r"valid [1-9]|processing [1-9]")
            print(f"first answers              {time.monotonic() - began:8.2f} s")
            latencies = []
            while not re.search(r"100% .*done", terminal.text()):
                latencies.append(key_latency(terminal))
            print(f"resolved                   {time.monotonic() - began:8.2f} s")
            latencies.sort()
            print(f"key, median of {len(latencies):5}       {latencies[len(latencies) // 2] * 1000:8.1f} ms")
            print(f"key, 95th percentile       {latencies[len(latencies) * 95 // 100] * 1000:8.1f} ms")
            print(f"memory, at most            {memory(terminal.pid, 'VmHWM'):8} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
