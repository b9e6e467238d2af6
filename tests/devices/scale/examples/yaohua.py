"""DEVICES §1.9: the makers' own frames; the second of each is made by their tables."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    "pushed": Example(b"\x02+012345319\x03", 12_345_000, b"\x02+000876311\x03", 876_000, checked=True, declared=False),
    "asked": Example(
        b"\x02AB+01234531:\x03", 12_345_000, b"\x02AB+000876312\x03", 876_000, checked=True, declared=False
    ),
    "reversed": Example(b"=543.2100", 12_345_000, b"=678.0000", 876_000, first=2, declared=False),
    "a12e": Example(b"WG004.139kg3D\r\n", 4_139_000, b"WG000.876kg3B\r\n", 876_000, checked=True, declared=False),
    "a12": Example(b"ww004.139kg\r\n", 4_139_000, b"ww000.876kg\r\n", 876_000, first=2, declared=False),
}
