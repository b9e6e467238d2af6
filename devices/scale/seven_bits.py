"""Seven-bit protocols on lines that deliver eight: mask bit 7, and check it as parity where it is parity.

Context: pyserial switches parity checking off even at 7E1 (DEVICES §0.3), a pseudo-terminal cannot hold 7E1, and a
device server set to 8N1 hands the parity bit on as bit 7. Decision: where bit 7 arrives, it is used. Once a quarter of
the last bytes have it and nine in ten have the right parity, the line is known to carry parity, and every byte with a
wrong one is damage: that finds each single flipped bit. On a line that does not carry it, a stray bit 7 is damage
unless it makes the parity right. Price: none on a line whose hardware strips the bit; there nothing above 127 arrives.

A damaged byte is passed on above 127, which no seven-bit protocol knows, so its frame is refused.
"""

from __future__ import annotations

from collections import deque

_WINDOW = 64
_ENOUGH = 24
_CARRIED = 0.25
_RIGHT = 0.9


class SevenBits:
    """A filter of bytes; independent of how they are cut into pieces."""

    def __init__(self, parity: str) -> None:
        """
        Args:
            parity: ``E`` or ``O``; anything else = bit 7 means nothing and is dropped.
        """
        self._odd = {"E": 0, "O": 1}.get(parity)
        self._recent: deque[tuple[bool, bool]] = deque(maxlen=_WINDOW)
        self._high = self._right = 0

    def filter(self, data: bytes) -> bytes:
        """Seven-bit bytes; those that are damaged come out above 127.

        >>> SevenBits("E").filter(b"1\\xb2\\xb3")
        b'12\\xb3'
        """
        if self._odd is None:
            return bytes(byte & 0x7F for byte in data)
        return bytes(self._judge(byte) for byte in data)

    def _judge(self, byte: int) -> int:
        high, right = byte > 0x7F, byte.bit_count() & 1 == self._odd
        if len(self._recent) == _WINDOW:
            old_high, old_right = self._recent[0]
            self._high -= old_high
            self._right -= old_right
        self._recent.append((high, right))
        self._high += high
        self._right += right
        damaged = not right and (high or self._carries_parity())
        return byte | 0x80 if damaged else byte & 0x7F

    def _carries_parity(self) -> bool:
        seen = len(self._recent)
        return seen >= _ENOUGH and self._high >= _CARRIED * seen and self._right >= _RIGHT * seen
