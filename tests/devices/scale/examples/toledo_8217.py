"""DEVICES §1.3."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    # without a unit set, kilograms that always lose their last digit look like pounds
    "kg": Example(b"\x0212.345\r", 12_345_000, b"\x0200.876\r", 876_000, loses_a_byte=False),
    "lb": Example(b"\x0212.34\r", 5_597_330, b"\x0200.87\r", 394_625),
    "kg_set": Example(b"\x0212.345\r", 12_345_000, b"\x0200.876\r", 876_000, unit="kg"),
    "grams": Example(b"\x02012345\r", 12_345_000, b"\x02000876\r", 876_000, unit="g", loses_a_byte=False),
}
