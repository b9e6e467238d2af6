"""DEVICES §1.5; eleven characters are Cardinal's."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    "ten": Example(b"\n 1G       5.025lb \r", 2_279_302, b"\n 1G       0.876lb \r", 397_347),
    "eleven": Example(b"\n 1G       12.345kg \r", 12_345_000, b"\n 1G        0.876kg \r", 876_000, loses_a_byte=False),
}
