"""A network camera: RTSP with motion JPEG over the same TCP connection, written from the RFCs.

Source: RFC 2326 (RTSP), section 10 and 10.12 (interleaved data); RFC 2435 (JPEG in RTP), section 3.1; RFC 3550, 5.1.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from devices.camera.jpeg import parse_jpeg

_DQT, _SOF0 = 0xDB, 0xC0


class RtspCamera:
    """Serves what ``jpeg(number)`` makes, 20 frames a second, to everybody who asks for TCP."""

    def __init__(self, jpeg: Callable[[int], bytes], *, speaks_tcp: bool = True) -> None:
        self._jpeg = jpeg
        self._speaks_tcp = speaks_tcp
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/live"

    def close(self) -> None:
        self._closed.set()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line, line.makefile("rb") as lines:
            while (request := _request(lines)) is not None:
                self.asked.append(request)
                line.sendall(self._answer(request))
                if request.startswith("PLAY"):
                    self._play(line)
                    return

    def _answer(self, request: str) -> bytes:
        number = next(row.split(":")[1].strip() for row in request.splitlines() if row.lower().startswith("cseq"))
        head = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n"
        if request.startswith("OPTIONS"):
            return f"{head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n".encode()
        if request.startswith("DESCRIBE"):
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 26\r\na=framerate:20\r\na=control:track1\r\n"
            )
            return f"{head}Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        if request.startswith("SETUP"):
            if not (self._speaks_tcp and "RTP/AVP/TCP" in request):
                return f"RTSP/1.0 461 Unsupported Transport\r\nCSeq: {number}\r\n\r\n".encode()
            return f"{head}Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n".encode()
        return f"{head}Session: 1\r\n\r\n".encode()

    def _play(self, line: socket.socket) -> None:
        sequence = itertools.count()
        for number in itertools.count():
            if self._closed.is_set():
                return
            for payload, last in _payloads(self._jpeg(number)):
                packet = struct.pack(
                    ">BBHII", 0x80, 26 | (0x80 if last else 0), next(sequence) & 0xFFFF, number * 4500, 7
                )
                packet += payload
                line.sendall(b"$\x00" + struct.pack(">H", len(packet)) + packet)
            time.sleep(0.05)


def _request(lines: BinaryIO) -> str | None:
    text = ""
    while (row := lines.readline()) not in (b"", b"\r\n"):
        text += row.decode()
    return text or None


def _payloads(jpeg: bytes) -> list[tuple[bytes, bool]]:
    """RFC 2435: main header, for the first packet the quantization tables, then a piece of the entropy-coded scan."""
    parts = parse_jpeg(jpeg)
    tables = b""
    width = height = 0
    for segment in parts.head:
        if segment.marker == _DQT:
            tables += b"".join(segment.body[at + 1 : at + 65] for at in range(0, len(segment.body), 65))
        elif segment.marker == _SOF0:
            height, width = struct.unpack_from(">HH", segment.body, 1)
    scan = parts.scans[2 + int.from_bytes(parts.scans[2:4], "big") : -2]
    pieces = []
    for at in range(0, len(scan), 1300):
        header = struct.pack(">B", 0) + at.to_bytes(3, "big") + bytes((1, 255, width // 8, height // 8))
        if at == 0:
            header += struct.pack(">BBH", 0, 0, len(tables)) + tables
        pieces.append((header + scan[at : at + 1300], at + 1300 >= len(scan)))
    return pieces
