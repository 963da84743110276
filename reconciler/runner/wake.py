"""The word a runner sends to the reconciler: a datagram that carries nothing, and may get lost (SPEC 10)."""

import socket
from contextlib import suppress
from pathlib import Path


class Wake:
    """Where to send the word; nowhere if there is no socket. It never waits and never fails."""

    def __init__(self, path: Path | None) -> None:
        self._address = "" if path is None else str(path)
        self._socket: socket.socket | None = None

    def send(self) -> None:
        """Say that something happened; who listens looks for himself."""
        if not self._address:
            return
        with suppress(OSError):  # nobody listens, or has no room: a slow timer looks as well
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._socket.sendto(b".", self._address)
