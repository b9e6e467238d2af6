"""DEVICES §1.9: the first weight is the maker's own; the second is made by its table."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    "kg": Example(b"\x01\x02S 01.234kge\x03\x04", 1_234_000, b"\x01\x02S 00.876kgh\x03\x04", 876_000, checked=True),
    "without_eot": Example(b"\x01\x02S 01.234kge\x03", 1_234_000, b"\x01\x02S 00.876kgh\x03", 876_000, checked=True),
}
