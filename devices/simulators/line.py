"""The device's end of a line: a pseudo-terminal, or TCP where there are none. Can be unplugged and plugged in again."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Protocol

from station.errors import DeviceFault

if sys.platform != "win32":
    import termios
    import tty


class ServedLine(Protocol):
    """What a simulator talks through."""

    @property
    def port(self) -> str:
        """What pyserial opens to reach it."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What the program at the other end has sent, b"" if nothing came in time."""
        ...

    def write(self, data: bytes) -> bool:
        """Send; False = nobody took it, as with a cable that no program listens to. Never waits for long."""
        ...

    def unplug(self) -> None: ...

    def plug_in(self) -> None: ...

    def close(self) -> None: ...


def serve_line(*, link: Path | None = None, tcp: bool = False) -> ServedLine:
    """A new line that is plugged in.

    Args:
        link: where the port shall appear, and reappear after an unplug.
        tcp: a local TCP port instead of a pseudo-terminal; always so on Windows.

    Raises:
        DeviceFault: the link cannot be made.
    """
    if tcp or sys.platform == "win32":
        return TcpLine()
    return PtyLine(link)


class PtyLine:
    """A pseudo-terminal. The slave is kept open here, so that reads between two programs do not fail."""

    def __init__(self, link: Path | None = None) -> None:
        self._link = link.absolute() if link else None
        self._master = self._slave = -1
        self._path = ""
        self.plug_in()

    @property
    def port(self) -> str:
        return str(self._link) if self._link else self._path

    def read(self, timeout_s: float) -> bytes:
        if self._master < 0:
            time.sleep(timeout_s)
            return b""
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        try:
            return os.read(self._master, 4096) if ready else b""
        except OSError:
            return b""

    def write(self, data: bytes) -> bool:
        if self._master < 0:
            return False
        view = memoryview(data)
        deadline = time.monotonic() + 0.2
        while view:
            try:
                view = view[os.write(self._master, view) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    # Nobody reads: a real line would have lost these bytes long ago.
                    termios.tcflush(self._slave, termios.TCIFLUSH)
                    return False
                select.select([], [self._master], [], 0.02)
        return True

    def unplug(self) -> None:
        if self._master < 0:
            return
        if self._link:
            self._link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def plug_in(self) -> None:
        if self._master >= 0:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._path = os.ttyname(self._slave)
        if self._link is None:
            return
        try:
            with tempfile.TemporaryDirectory(dir=self._link.parent, prefix=".link-") as folder:
                fresh = Path(folder) / "port"
                fresh.symlink_to(self._path)
                fresh.replace(self._link)
        except OSError as error:
            raise DeviceFault(f"cannot make the link {str(self._link)!r}: {error.strerror or error}") from error

    def close(self) -> None:
        self.unplug()


class TcpLine:
    """One client at a time on 127.0.0.1; the same number after an unplug."""

    def __init__(self) -> None:
        self._number = 0
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self.plug_in()

    @property
    def port(self) -> str:
        return f"socket://127.0.0.1:{self._number}"

    def read(self, timeout_s: float) -> bytes:
        watched = self._client or self._listener
        if watched is None:
            time.sleep(timeout_s)
            return b""
        ready, _, _ = select.select([watched], [], [], timeout_s)
        if not ready:
            return b""
        if self._client is None:
            self._accept()
            return b""
        try:
            data = self._client.recv(4096)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def write(self, data: bytes) -> bool:
        self._accept()
        if self._client is None:
            return False
        try:
            self._client.sendall(data)
        except OSError:
            self._hang_up()
            return False
        return True

    def unplug(self) -> None:
        self._hang_up()
        if self._listener:
            self._listener.close()
            self._listener = None

    def plug_in(self) -> None:
        if self._listener:
            return
        listener = socket.socket()
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._number))
        listener.listen(1)
        listener.setblocking(False)
        self._number = listener.getsockname()[1]
        self._listener = listener

    def close(self) -> None:
        self.unplug()

    def _accept(self) -> None:
        if self._client is not None or self._listener is None:
            return
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._client, _ = self._listener.accept()
            self._client.settimeout(0.2)

    def _hang_up(self) -> None:
        if self._client:
            self._client.close()
            self._client = None
