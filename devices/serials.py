"""Whether a USB serial number tells one device from its neighbour, whatever kind of device it is.

Source: DEVICES §6.1 (CH340 has no serial number, many CP210x share "0001"), §4 (what cameras of one make all carry).
"""

from __future__ import annotations

from typing import Final

_COUNTING: Final = "01234567890123456789ABCDEF"
_NO_NUMBER: Final = {
    "NONE", "NULL", "UNKNOWN", "DEFAULT", "SERIAL", "SERIALNUMBER", "N/A", "NOSERIAL", "TBD", "TEST", "SN0001",
    "200901010001", "20200101", "01.00.00",
}  # fmt: skip
"""What makers put into every device they build, in capitals."""


def is_own_number(serial: str) -> bool:
    """Whether a serial number can be this one device's own.

    >>> [is_own_number(serial) for serial in ("A10KXYZ7", "0001", "", "123456", "000000", "5&2A3C&0&1", "2", "sn0001")]
    [True, False, False, False, False, False, False, False]
    """
    plain = serial.strip().upper()
    if len(plain) < 4 or not plain.isascii() or not plain.isprintable() or "&" in plain:
        return False  # & is in the names that Windows makes up for devices without a number
    if plain in _NO_NUMBER or plain in _COUNTING or len(set(plain) - set("-_. ")) <= 1:
        return False
    return not (plain.isdigit() and int(plain) < 100)
