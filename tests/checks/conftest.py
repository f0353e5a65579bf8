"""A ledger to import into and to run from."""

from collections.abc import Iterator

import pytest

from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.settings.paths import Paths


@pytest.fixture
def ledger(paths: Paths) -> Iterator[Ledger]:
    ledger = Ledger(paths.ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def reader(paths: Paths, ledger: Ledger) -> Iterator[Reader]:
    reader = Reader(paths.ledger)
    yield reader
    reader.close()
