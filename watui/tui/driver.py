"""Reads the terminal for Textual, so that a paste comes whole."""

import os
import select
import socket
from threading import Thread

from textual import events
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from watui.tui.pastes import Pastes

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
        super().process_message(events.Paste(self._pastes.take()) if isinstance(message, events.Paste) else message)

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
