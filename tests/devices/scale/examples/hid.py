"""DEVICES §1.10. USB has a check of its own; here the reports come over a plain line, as a capture plays them."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    "g": Example(bytes.fromhex("03040200F401"), 500_000, bytes.fromhex("030402006C03"), 876_000, first=1),
    "oz": Example(bytes.fromhex("03040BFF2A00"), 119_068, bytes.fromhex("03040BFF0300"), 8_505, first=1),
    "kg": Example(bytes.fromhex("030403FD3930"), 12_345_000, bytes.fromhex("030403FD6C03"), 876_000, first=1),
}
