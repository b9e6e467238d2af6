"""A bench's configuration: ``station.toml`` in the home folder, read once into frozen structs.

No secrets here: the server's token comes from the environment (``STATION_SERVER_TOKEN``).
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from station.toml_file import read_toml, typed

FILE_NAME = "station.toml"


class StationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which bench this is."""

    id: str = "bench-1"
    """Unique at the site; part of every journal entry."""
    name: str = "Bench 1"
    hall: str = ""
    inspector: str = "Inspector"


class ScannerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line-terminated scanner."""

    port: str = ""
    """Anything pyserial opens; empty = none."""
    baud: int = 9600


class ScaleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scale and the protocol it speaks."""

    port: str = ""
    driver: str = "mt_sics"
    baud: int = 0
    """0 = the maker's default."""


class CameraConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A camera: index, device path, file or URL."""

    source: str = ""
    width: int = 1920
    height: int = 1080


class PrinterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A label printer that takes ZPL on TCP."""

    address: str = ""
    """``HOST`` or ``HOST:PORT`` (9100 unless said)."""
    template: str = "unit"
    """Name of a file under ``resources/labels``."""
    dpi: int = 203
    """Dots per inch of the print head: 203 or 300."""


class SyncConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the centre is."""

    server: str = ""
    """Base URL; empty = this bench works alone."""


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the window looks."""

    theme: str = "dark"
    """``dark``, ``light`` or ``contrast``."""
    full_screen: bool = True
    scale: str = "1.0"
    """Factor on every size, as text: there are no floats in a configuration that is hashed."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; every table and key may be left out."""

    station: StationConfig = StationConfig()
    scanner: ScannerConfig = ScannerConfig()
    scale: ScaleConfig = ScaleConfig()
    camera: CameraConfig = CameraConfig()
    printer: PrinterConfig = PrinterConfig()
    sync: SyncConfig = SyncConfig()
    screen: ScreenConfig = ScreenConfig()


def load_config(home: Path) -> Config:
    """Read ``home/station.toml``; a missing file means the defaults.

    Raises:
        InvalidInput: unknown key (with "did you mean"), wrong type, not TOML.
    """
    path = home / FILE_NAME
    return typed(read_toml(path), Config) if path.exists() else Config()
