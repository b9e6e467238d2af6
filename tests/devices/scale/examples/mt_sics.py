"""DEVICES §1.2; pounds and ounces as a BC60 parcel scale sends them."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    # "kg" that always loses its first letter is grams
    "kg": Example(b"S S     12.345 kg\r\n", 12_345_000, b"S S      0.876 kg\r\n", 876_000, loses_a_byte=False),
    "lb_oz": Example(b"S S   12:07.50 lb:oz\r\n", 5_655_730, b"S S    1:15.00 lb:oz\r\n", 878_835, loses_a_byte=False),
}
