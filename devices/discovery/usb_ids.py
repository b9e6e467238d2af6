"""What a USB device probably is, by its vendor and product numbers: the table ``resources/devices/usb_ids.toml``."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

import msgspec

from station.assets import asset
from station.toml_file import read_toml, typed


class What(StrEnum):
    """What a device probably is."""

    SCANNER = "scanner"
    SCALE = "scale"
    PRINTER = "printer"
    CAMERA = "camera"
    ADAPTER = "adapter"
    """A converter: anything may hang on it."""
    BOARD = "board"
    MODEM = "modem"
    UNKNOWN = "unknown"


class KnownDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row."""

    vid: int
    what: What
    name: str
    pid: int | None = None
    """None = every other device of the vendor."""
    claimed: str = ""
    """A program that is known to take such ports for its own."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device: tuple[KnownDevice, ...]


def known_device(vid: int | None, pid: int | None) -> KnownDevice | None:
    """The row of a device: its own, else its vendor's.

    >>> known_device(0x1a86, 0x7523).name, known_device(0x0c2e, 0x1234).what
    ('CH340', <What.SCANNER: 'scanner'>)
    >>> known_device(0xffff, 1) is None
    True
    """
    if vid is None:
        return None
    rows = _rows()
    return rows.get((vid, pid)) or rows.get((vid, None))


@lru_cache(maxsize=1)
def _rows() -> dict[tuple[int, int | None], KnownDevice]:
    table = typed(read_toml(asset("devices", "usb_ids.toml")), _Table)
    return {(row.vid, row.pid): row for row in table.device}
