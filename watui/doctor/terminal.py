"""What the terminal can show, as far as it can be known."""

import os
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping

from watui.findings import Finding, Level
from watui.settings.bandwidth import is_low_bandwidth, is_over_ssh
from watui.settings.paths import Paths
from watui.settings.settings import BadSettings, Settings, load
from watui.text import counted

LEAST_COLUMNS, LEAST_LINES = 80, 24
"""In which the console shows all that it has."""

ANSWER_SECONDS = 0.5
"""How long a terminal may take to say where its cursor is."""

TMUX_SECONDS = 2.0
"""How long tmux may take."""

_VERSION = re.compile(r"(\d+)\.(\d+)")
_TAKES_COPIES = (3, 2)
"""The version of tmux from which on it hands a copy that it is given to its terminal, whatever set-clipboard is."""

_WIDE = "漢"
"""A character of two columns."""

_WHERE = b"\x1b[6n"
"""Asks for the position of the cursor."""

_POSITION = re.compile(rb"\x1b\[\d+;(\d+)R")

CLIPBOARD_WORDS = {
    "Apple_Terminal": "Apple's Terminal does not take what is copied",
    "iTerm.app": "iTerm2 takes what is copied only where its settings let applications access the clipboard",
}
"""Terminals of which it is known, by TERM_PROGRAM."""


def streams(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Look at whether there is a terminal, and which."""
    missing = [name for name, stream in _ends().items() if not stream]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        words = f"{' and '.join(missing)} {verb} no terminal: the console can't be shown here"
        yield Finding("terminal", Level.NOTE, words, "Commands such as 'watui check' do without one.")
    else:
        yield Finding("terminal", Level.OK, "standard input and output")
    kind = environment.get("TERM", "")
    if kind in ("", "dumb"):
        words = "TERM=dumb: the console can't be shown" if kind else "TERM is not set"
        yield Finding("TERM", Level.NOTE, words, "Set TERM to what your terminal is, such as xterm-256color.")
    else:
        yield Finding("TERM", Level.OK, kind)


def size() -> Iterator[Finding]:
    """Look at how much room there is."""
    if not _ends()["standard output"]:
        return
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    is_small = columns < LEAST_COLUMNS or lines < LEAST_LINES
    step = f"Make it {LEAST_COLUMNS} x {LEAST_LINES} or larger: in less, parts are left out." if is_small else None
    yield Finding("size", Level.NOTE if is_small else Level.OK, f"{columns} x {lines}", step)


def colours(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Look at how many colours the terminal says that it has."""
    if environment.get("NO_COLOR"):
        yield Finding("colours", Level.OK, "none, as NO_COLOR wants it; every mark has a sign of its own, too")
    elif environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        yield Finding("colours", Level.OK, "all, by COLORTERM")
    else:
        count = "256" if "256color" in environment.get("TERM", "") else "16"
        yield Finding("colours", Level.OK, f"{count}, by TERM; COLORTERM=truecolor would promise all")


def bandwidth(paths: Paths, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Say whether the console takes the line for a slow one, and why."""
    try:
        choice = load(paths.settings, environment).low_bandwidth
    except BadSettings:
        choice = Settings().low_bandwidth
    where = f", and this is {'' if is_over_ssh(environment) else 'not '}a session over SSH" if choice == "auto" else ""
    paints = "paints less often" if is_low_bandwidth(choice, environment) else "paints as usual"
    yield Finding("low_bandwidth", Level.OK, f"{choice}{where}: the console {paints}")


def encoding() -> Iterator[Finding]:
    """Look at whether all characters can be written."""
    name = sys.stdout.encoding or "unknown"
    if is_unicode():
        yield Finding("encoding", Level.OK, name)
    else:
        words = f"{name}: most characters can't be written"
        yield Finding("encoding", Level.NOTE, words, "Set LANG=C.UTF-8, or LC_ALL where that is set.")


def is_unicode() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def width() -> Iterator[Finding]:
    """Ask the terminal how wide a wide character is. Nothing of that is seen."""
    if not all(_ends().values()) or not is_unicode():
        yield Finding("wide characters", Level.OK, "not asked for: that takes a terminal and UTF-8")
        return
    try:
        columns = _columns_of(_WIDE)
    except (OSError, termios.error):
        columns = None
    if columns is None:
        words = "the terminal does not tell where its cursor is"
        yield Finding("wide characters", Level.NOTE, words, "Should tables be out of line, try another terminal.")
    elif columns != 2:
        words = f"drawn in {counted(columns, 'column')} instead of 2: tables will be out of line"
        yield Finding("wide characters", Level.NOTE, words, "Look for a Unicode setting of the terminal, or of tmux.")
    else:
        yield Finding("wide characters", Level.OK, "drawn in 2 columns, as they should be")


def clipboard(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Say what is known of the way from the console to a clipboard: no terminal tells whether it takes what is sent."""
    if not any(_ends().values()):
        return
    program = environment.get("TERM_PROGRAM", "")
    is_far = is_over_ssh(environment)
    where = f"{program or 'a terminal without a name'}{', over ssh' if is_far else ''}"
    words = CLIPBOARD_WORDS.get(program, "whether it takes what is copied (OSC 52) can't be asked for")
    step = f"Copy with c in the console, and paste. Else export{' to a file here' if is_far else ''}."
    yield Finding("clipboard", Level.NOTE, f"{where}: {words}", step)
    if "TMUX" in environment:
        yield _of_tmux()


def _of_tmux() -> Finding:
    version = _told_by_tmux("-V")
    if version is not None and (found := _VERSION.search(version)) and tuple(map(int, found.groups())) >= _TAKES_COPIES:
        return Finding("tmux", Level.OK, f"{version}: what is copied is given to it, and handed on")
    allowed, passed = (_told_by_tmux("show", "-gv", name) for name in ("set-clipboard", "allow-passthrough"))
    if allowed is None:
        return Finding("tmux", Level.NOTE, "it does not tell its options", "Look at: tmux show -gv set-clipboard")
    words = f"set-clipboard is {allowed}, allow-passthrough {passed or 'unknown'}"
    if allowed == "on":
        return Finding("tmux", Level.OK, f"{words}: what is copied is handed on")
    step = "Put this into ~/.tmux.conf: set -s set-clipboard on"
    return Finding("tmux", Level.NOTE, f"{words}: what is copied ends here", step)


def _told_by_tmux(*arguments: str) -> str | None:
    """Return what the tmux around says to a command, None where it is not to be had."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - nothing in it is anybody's but ours
            [tmux, *arguments], capture_output=True, text=True, timeout=TMUX_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _ends() -> dict[str, bool]:
    """Return, for each end of a conversation, whether a terminal is there."""
    return {"standard input": sys.stdin.isatty(), "standard output": sys.stdout.isatty()}


def _columns_of(character: str) -> int | None:
    """Return how far the cursor moves by a character; None where the terminal does not tell, or not to us."""
    source, target = sys.stdin.fileno(), sys.stdout.fileno()
    if os.tcgetpgrp(source) != os.getpgrp():
        return None  # In the background, a change of the terminal's modes would stop the program.
    sys.stdout.flush()
    try:
        found = _POSITION.search(_answer(source, target, b"\r" + character.encode() + _WHERE))
    finally:
        os.write(target, b"\r\x1b[K")
    return int(found[1]) - 1 if found else None


def _answer(source: int, target: int, question: bytes) -> bytes:
    """Return what a terminal answers, which is not echoed; its modes are left as they were."""
    before = termios.tcgetattr(source)
    quiet = termios.tcgetattr(source)
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    reply, deadline = b"", time.monotonic() + ANSWER_SECONDS
    try:
        termios.tcsetattr(source, termios.TCSADRAIN, quiet)
        os.write(target, question)
        while not _POSITION.search(reply) and select.select([source], [], [], max(0, deadline - time.monotonic()))[0]:
            part = os.read(source, 256)
            if not part:
                break
            reply += part
    finally:
        termios.tcsetattr(source, termios.TCSAFLUSH, before)
    return reply
