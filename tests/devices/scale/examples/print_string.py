"""DEVICES §1.8; the Ohaus columns are those of a real capture."""

from __future__ import annotations

from tests.devices.scale.examples.table import Example

EXAMPLES = {
    "ohaus": Example(b"  12.345 kg    G\r\n", 12_345_000, b"   0.876 kg    G\r\n", 876_000),
    "ohaus_manual": Example(b"   12.345 kg    G  \r\n", 12_345_000, b"    0.876 kg    G  \r\n", 876_000),
    "sbi16": Example(b"+   123.56 g  \r\n", 123_560, b"+     8.76 g  \r\n", 8_760),
    "sbi22": Example(b"N     +   123.56 g  \r\n", 123_560, b"N     +     8.76 g  \r\n", 8_760),
    "str5": Example(b"\x02   12.34KG \r\n", 12_340_000, b"\x02    0.87KG \r\n", 870_000),
    # a learnt layout has no columns of its own to be held to
    "learnt": Example(
        b"  12.345 kg\r\n", 12_345_000, b"   0.876 kg\r\n", 876_000, first=2, declared=False, loses_a_byte=False
    ),
    # a real capture with a photo of its display: the slash marks the last digit
    "vibra": Example(b"+007.12/3 G S\r\n", 7_123, b"+106.20/1 G S\r\n", 106_201),
    "vibra_seven": Example(b"+00123.4 G S\r\n", 123_400, b"+00008.8 G S\r\n", 8_800),
    "radwag": Example(b"SUI      12.345 kg \r\n", 12_345_000, b"SUI       0.876 kg \r\n", 876_000),
    "mettler": Example(b"     G      12.3747 g   \r\n", 12_375, b"     G       0.3747 g   \r\n", 375, declared=False),
    "weigh_tronix": Example(b" G  12.34 lb\r\n", 5_597_330, b" G   0.87 lb\r\n", 394_625, declared=False),
    "cardinal": Example(b"\r+0012.34  lb g  \x03", 5_597_330, b"\r+0000.87  lb g  \x03", 394_625),
    "and_bare": Example(b"+0012.345 kg\r\n", 12_345_000, b"+0000.876 kg\r\n", 876_000, declared=False),
}
