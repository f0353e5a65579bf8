"""A program like `driven`, under a clock that is set back and forth by years while it runs."""

import asyncio
import random
import sys
import time
from pathlib import Path

YEAR = 365 * 24 * 3600.0

if __name__ == "__main__":
    ledger, run_id, url, token, *budget = sys.argv[1:]
    right, chance = time.time, random.Random(int(run_id))
    time.time = lambda: right() + chance.uniform(-YEAR, YEAR)
    from tests.durability.driven import drive

    asyncio.run(drive(Path(ledger), int(run_id), url, token, url if budget else None))
