"""One HTTP POST under one deadline, to an address that was checked. Never follows a redirect.

Decision: not httpx, whose time-outs are per read, so that a receiver who sends a byte now and then holds a connection
for ever, and which resolves the name again by itself. http.client's response parser over a socket with a deadline does
both in a page. Price: HTTP/1.1 only.
Source: RFC 9112; Standard Webhooks specification, "Headers", "Timeouts", "Redirects".
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Final

from station.errors import InvalidInput
from sync.server.downstream.addresses import Egress, Resolve, Target, check_url, resolve_checked
from sync.server.downstream.schedule import Tried

_ANSWER_BYTES: Final = 16 * 1024
"""Of an answer's body; what is longer is not read."""
_SHOWN: Final = 200


class _DeadlineReader(io.RawIOBase):
    """A socket's bytes until a deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)  # type: ignore[arg-type]  # typeshed names no buffer here

    def makefile(self, *_arguments: object) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self)


class Line:
    """Deliveries to one endpoint, over one connection as long as it lasts. For one thread."""

    def __init__(
        self, url: str, egress: Egress, resolve: Resolve, tls: ssl.SSLContext | None, timeout_s: float = 15.0
    ) -> None:
        """
        Args:
            tls: with the authorities that are believed; None = make no TLS connection.
        """
        self._url = url
        self._egress = egress
        self._resolve = resolve
        self._tls = tls
        self._timeout_s = timeout_s
        self._connection: socket.socket | None = None

    def post(self, headers: Mapping[str, str], body: bytes) -> Tried:
        """Send once; whatever happens is in the answer."""
        deadline = time.monotonic() + self._timeout_s
        reused = self._connection is not None
        try:
            target = check_url(self._url, self._egress)
            try:
                return self._exchange(target, headers, body, deadline)
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                if not reused:
                    raise
                return self._exchange(target, headers, body, deadline)  # it was closed while it was idle
        except InvalidInput as error:
            self.close()
            return Tried(None, str(error))
        except TimeoutError:
            self.close()
            return Tried(None, f"no answer within {self._timeout_s:g} s")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            return Tried(None, f"{type(error).__name__}: {error}"[:_SHOWN])

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes, deadline: float) -> Tried:
        if self._connection is None:
            self._connection = self._connect(target, deadline)
        connection = self._connection
        lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.settimeout(_left(deadline))
        connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        response = http.client.HTTPResponse(_DeadlineReader(connection, deadline), method="POST")  # type: ignore[arg-type]  # it only asks makefile of it
        try:
            response.begin()
            answer = response.read(_ANSWER_BYTES + 1)
            is_whole = response.isclosed()
        finally:
            response.close()
        if response.will_close or not is_whole:
            self.close()
        status = response.status
        if 200 <= status < 300:
            return Tried(status, "")
        if 300 <= status < 400:
            return Tried(status, f"HTTP {status}: redirects are not followed; enter the final address")
        said = answer[:_SHOWN].decode("utf-8", "replace").replace("\x00", "�")
        return Tried(status, f"HTTP {status}: {said}", _retry_after(response.getheader("Retry-After")))

    def _connect(self, target: Target, deadline: float) -> socket.socket:
        addresses = resolve_checked(target, self._egress, self._resolve)
        failed: OSError | None = None
        for address in addresses[:3]:
            try:
                connection = socket.create_connection((address, target.port), timeout=_left(deadline))
            except OSError as error:
                failed = error
                continue
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if target.tls:
                    if self._tls is None:
                        raise OSError("this server cannot make TLS connections")
                    connection.settimeout(_left(deadline))
                    return self._tls.wrap_socket(connection, server_hostname=target.host)
            except BaseException:
                connection.close()
                raise
            return connection
        raise failed or OSError("no address")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _retry_after(text: str | None) -> int | None:
    """Seconds; the form with a date is rare and not understood, the schedule then says when."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else None
