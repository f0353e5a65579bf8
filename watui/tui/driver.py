"""What stands between Textual and the terminal: a paste comes whole, and is painted no more than the line carries."""

import os
import select
import socket
from threading import Thread

from textual import events
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from watui.tui.outlet import Outlet
from watui.tui.pastes import Pastes

WHERE = "\x1b[6n"
"""Asks the terminal where its cursor is: it answers after it has painted all that came before."""

KEEP_TITLE, GIVE_TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"
"""A terminal keeps the title of its window, and gives it back: the end of a run may stand there."""

_MOST_BYTES = 64 * 1024


class PasteDriver(LinuxDriver):
    """Textual's driver, which reads keys from behind `Pastes`."""

    def run_input_thread(self) -> None:
        keyboard, self._pastes = self.fileno, Pastes(ESCAPE_DELAY)
        ours, theirs = socket.socketpair()
        with ours:
            passing = Thread(target=self._pass_on, args=(keyboard, ours), name="watui-input", daemon=True)
            passing.start()
            with theirs:
                self.fileno = theirs.fileno()
                try:
                    super().run_input_thread()
                finally:
                    self.fileno = keyboard
            passing.join()

    def process_message(self, message: Message) -> None:
        text = self._pastes.take() if isinstance(message, events.Paste) else None
        super().process_message(message if text is None else events.Paste(text))

    def _pass_on(self, keyboard: int, reader: socket.socket) -> None:
        """Pass on what is typed, until the reader or the terminal is gone."""
        pastes, ends = self._pastes, [keyboard, reader.fileno()]
        try:
            while reader.fileno() not in (ready := select.select(ends, [], [], pastes.patience)[0]):
                data = os.read(keyboard, _MOST_BYTES) if ready else None
                if data == b"":
                    return
                reader.sendall(pastes.part(data) if data else pastes.let_go())
        except OSError:
            return


def driver_for(outlet: Outlet) -> type[LinuxDriver]:
    """Return the driver of a terminal behind `outlet`."""

    class OutletDriver(PasteDriver):
        def write(self, data: str) -> None:
            super().write(data)
            outlet.wrote(len(data.encode()))

        def flush(self) -> None:
            super().flush()
            if outlet.should_ask():
                super().write(WHERE)

        def process_message(self, message: Message) -> None:
            if isinstance(message, events.CursorPosition):
                outlet.answered()
            else:
                super().process_message(message)

        def start_application_mode(self) -> None:
            outlet.open()
            super().start_application_mode()  # type: ignore[no-untyped-call]
            self.write(KEEP_TITLE)
            outlet.send = self.write

        def stop_application_mode(self) -> None:
            self.write(GIVE_TITLE_BACK)
            outlet.close()
            super().stop_application_mode()

    return OutletDriver
