"""What a receiver reads of bytes that were sent at another speed or with another parity.

A UART samples the middle of each bit, counted from the falling edge of a start bit. A receiver that is strict throws
away a character with a wrong parity or stop bit; a lenient one (as pyserial on Linux) passes it on.
"""

from __future__ import annotations

from devices.transport import LineSettings

_OVERSAMPLING = 16


def send(data: bytes, line: LineSettings) -> list[int]:
    """The levels of the line, one an element and bit: idle, the characters, idle."""
    levels = [1] * 4
    for byte in data:
        bits = [(byte >> i) & 1 for i in range(line.data_bits)]
        levels += [0, *bits, *_parity(bits, line), *[1] * line.stop_bits]
    return levels + [1] * 40


def receive(levels: list[int], sent_at: LineSettings, line: LineSettings, *, strict: bool) -> bytes:
    """What a receiver at ``line`` makes of levels that were sent at ``sent_at``."""
    bit = sent_at.baud / line.baud  # one bit of the receiver, in bits of the sender
    size = line.data_bits + (line.parity != "N")
    data, at = bytearray(), 0.0

    def level(moment: float) -> int:
        return levels[int(moment)] if moment < len(levels) else 1

    while at < len(levels):
        if level(at) or level(at + bit / 2):
            at += bit / _OVERSAMPLING
            continue
        sampled = [level(at + bit * (1.5 + i)) for i in range(size)]
        stop = level(at + bit * (1.5 + size))
        value = sampled[: line.data_bits]
        right = stop == 1 and sampled[line.data_bits :] == _parity(value, line)
        if right or not strict:
            data.append(sum(bit_ << i for i, bit_ in enumerate(value)))
        at += bit * (1.5 + size)
        while not stop and at < len(levels) and not level(at):
            at += bit / _OVERSAMPLING
    return bytes(data)


def carry(data: bytes, sent_at: LineSettings, received_at: LineSettings, *, strict: bool = False) -> bytes:
    """Both ends of a line.

    >>> carry(b"SI", LineSettings(9600), LineSettings(9600))
    b'SI'
    >>> carry(b"1", LineSettings(9600, 7, "E"), LineSettings(9600))
    b'\\xb1'
    """
    return receive(send(data, sent_at), sent_at, received_at, strict=strict) if data else b""


def _parity(bits: list[int], line: LineSettings) -> list[int]:
    return [] if line.parity == "N" else [(sum(bits) + (line.parity == "O")) % 2]
