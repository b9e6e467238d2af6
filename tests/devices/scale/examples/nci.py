"""DEVICES §1.4; the short form is the Brecknell PS-USB's."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    "ecr": Example(b"\n12.345KG\r\nS00\r\x03", 12_345_000, b"\n00.876KG\r\nS00\r\x03", 876_000),
    "scp01": Example(b"\n  12.345kg\r\n00\r\x03", 12_345_000, b"\n   0.876kg\r\n00\r\x03", 876_000, loses_a_byte=False),
    "lb_oz": Example(b"\n12lb 07.5oz\r\n00\r\x03", 5_655_730, b"\n 1lb 15.0oz\r\n00\r\x03", 878_835),
    "ps_usb": Example(b"\n  12.34LB\r00\x03", 5_597_330, b"\n   0.87LB\r00\x03", 394_625, loses_a_byte=False),
    "three_status": Example(b"\n012.34LB\r\nS0p0\r\x03", 5_597_330, b"\n000.87LB\r\nS0p0\r\x03", 394_625),
}
