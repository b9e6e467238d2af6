"""DEVICES §1.7; NHB and QHW are real captures."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

# One byte less in every frame for ever is a layout like any other: without a table it proves itself by its columns.
EXAMPLES = {
    "and": Example(b"ST,+0012.345 kg\r\n", 12_345_000, b"ST,+0000.876 kg\r\n", 876_000, loses_a_byte=False),
    "comparator": Example(
        b"ST,OK,+0012.345 kg\r\n", 12_345_000, b"ST,OK,+0000.876 kg\r\n", 876_000, loses_a_byte=False
    ),
    "and18": Example(b"ST,GS,  12.345kg\r\n", 12_345_000, b"ST,GS,   0.876kg\r\n", 876_000, loses_a_byte=False),
    "cas22": Example(
        b"ST,GS,1\xc5,  12.345 kg\r\n", 12_345_000, b"ST,GS,1\xc4,   0.876 kg\r\n", 876_000, loses_a_byte=False
    ),
    "dini": Example(b"ST,GS,  12.345,kg\r\n", 12_345_000, b"ST,GS,   0.876,kg\r\n", 876_000, loses_a_byte=False),
    "dini_af": Example(
        b"ST,1,    12.345kg,       0.000kg\r\n", 12_345_000, b"ST,1,     0.876kg,       0.000kg\r\n", 876_000
    ),
    "nhb": Example(b"ST,GS    20.7g  \r\n", 20_700, b"ST,GS   106.2g  \r\n", 106_200, loses_a_byte=False),
    "qhw": Example(b"ST,GS,   245.6 g\r\n", 245_600, b"ST,GS,     8.0 g\r\n", 8_000, loses_a_byte=False),
    "kern": Example(b"      12.345 kg \r\n", 12_345_000, b"       0.876 kg \r\n", 876_000),
    "learnt": Example(
        b"ST,GS, 12.345 kg\r\n", 12_345_000, b"ST,GS,  0.876 kg\r\n", 876_000, first=2, loses_a_byte=False
    ),
}
