"""Reads the terminal for Textual, so that a paste comes whole."""

import os
import select
import socket
from threading import Thread

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from watui.tui.pastes import Pastes

_MOST_BYTES = 64 * 1024


class PasteDriver(LinuxDriver):
    """Textual's driver, which reads keys from behind `Pastes`."""

    def run_input_thread(self) -> None:
        keyboard, self._pastes = self.fileno, Pastes()
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
        try:
            while reader.fileno() not in select.select([keyboard, reader.fileno()], [], [])[0]:
                if not (data := os.read(keyboard, _MOST_BYTES)):
                    return
                reader.sendall(self._pastes.part(data))
        except OSError:
            return
