"""A server with a certificate of its own, from outside: refused, pinned, used, and stopped where it has changed."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.conftest import Watui, start
from tests.conftest import TOKEN
from watui.cli.exits import Exit

NUMBER = "+16315551000"
FINGERPRINT = r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}"


@contextmanager
def simulating(port: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a simulator that makes itself a certificate; yield it and its port."""
    with start("simulate", "--tls", "--port", port, "--token", TOKEN, "--latency", "none") as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().strip().rpartition(":")[2]
        finally:
            running.kill()


def test_a_certificate_is_refused_then_pinned_then_used_and_a_new_one_stops_everything(watui: Watui) -> None:
    check = ("check", "--number", NUMBER, "--profile", "shop")
    with simulating("0") as (running, port):
        assert watui("profiles", "add", "shop", "--url", f"https://127.0.0.1:{port}").code == Exit.DONE
        refused = watui(*check)
        assert refused.code == Exit.UNREACHABLE
        assert "is not trusted" in refused.err
        assert "watui profiles trust" in refused.err

        wrong = watui("profiles", "trust", "shop", "--fingerprint", "AA:BB")
        assert wrong.code == Exit.USAGE
        assert "nothing is pinned" in wrong.err
        (shown,) = re.findall(FINGERPRINT, wrong.err)
        assert running.stderr is not None
        told = [running.stderr.readline() for _ in range(4)]
        assert told[-1] == f"Its certificate: SHA-256 {shown}\n", "there is something to compare it with"
        assert watui("profiles", "trust", "shop", "--fingerprint", f"sha256:{shown.lower()}").code == Exit.DONE

        checked = watui(*check, "--format", "jsonl")
        assert checked.code == Exit.DONE, checked.err
        assert '"valid"' in checked.out
    with simulating(port) as (_, same):
        assert same == port
        stopped = watui(*check, "--recheck")
        assert stopped.code == Exit.UNREACHABLE
        assert "has changed" in stopped.err
        pinned, now = re.findall(FINGERPRINT, stopped.err)
        assert pinned == shown
        assert now != shown
        again = watui("profiles", "trust", "shop", "--fingerprint", now)
        assert again.code == Exit.DONE
        lines = again.err.splitlines()
        assert f"  pinned {shown}" in lines, "side by side"
        assert f"  shown  {now}" in lines
        assert watui(*check).code == Exit.DONE
