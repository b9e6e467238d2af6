"""DEVICES §1.6: the first frame is the manual's; the others are made by its tables."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

_HEAVY = b"\x02\x2d\x30\x20  1234     0\r"
_LIGHT = b"\x02\x2d\x30\x20   876     0\r"

EXAMPLES = {
    "checked": Example(_HEAVY + b"\x1a", 1_234_000, _LIGHT + b"\x1f", 876_000, checked=True),
    "plain": Example(_HEAVY, 1_234_000, _LIGHT, 876_000),
    "short": Example(b"\x02\x2d\x30\x20  1234\r", 1_234_000, b"\x02\x2d\x30\x20   876\r", 876_000),
    "short_checked": Example(
        b"\x02\x2d\x30\x20  1234\r\x6a", 1_234_000, b"\x02\x2d\x30\x20   876\r\x6f", 876_000, checked=True
    ),
    "check_looks_like_an_end": Example(
        b"\x02\x2d\x30\x20  5990     0\r\r", 5_990_000, b"\x02\x2d\x30\x20  8899     0\r\x02", 8_899_000, checked=True
    ),
    "check_looks_like_a_beginning": Example(
        b"\x02\x2d\x30\x20  8899     0\r\x02", 8_899_000, b"\x02\x2d\x30\x20  9988     0\r\x02", 9_988_000, checked=True
    ),
    "plain_where_the_check_would_be_stx": Example(
        b"\x02\x2d\x30\x20  8899     0\r", 8_899_000, b"\x02\x2d\x30\x20  9988     0\r", 9_988_000
    ),
    "pounds": Example(
        b"\x02\x2b\x20\x20   125     0\r\x3e", 5_669_905, b"\x02\x2b\x20\x20   126     0\r\x3d", 5_715_264, checked=True
    ),
}
