"""A bench's configuration: ``station.toml`` in the home folder, read once into frozen structs.

Below it lies ``devices.toml``, which ``station devices pair`` writes (``paired.py``).

No secrets here: the server's token comes from the environment (``STATION_SERVER_TOKEN``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import msgspec

from station.paired import layered, read_paired
from station.toml_file import read_toml, typed

FILE_NAME = "station.toml"

_PER_CENT = re.compile(r"(?P<whole>[0-9]{1,2})(?:\.(?P<part>[0-9]{1,2}))? ?%")


class StationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which bench this is."""

    id: str = "bench-1"
    """Unique at the site; part of every journal entry."""
    name: str = "Bench 1"
    hall: str = ""
    inspector: str = "Inspector"
    market: str = ""
    """Where goods are sold again, e.g. ``DE``: how long dated goods must still be good for goes by it."""


class ScannerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scanner on a serial line."""

    port: str = ""
    """Anything pyserial opens, or a USB device wherever it is plugged in: ``usb:VID:PID:SERIAL`` or
    ``usb:VID:PID@PLACE`` (``station devices list`` shows them); empty = none."""
    protocol: str = "line"
    """``line`` (any scanner that ends a code with a suffix) or ``ssi`` (Zebra's packets)."""
    baud: int = 9600
    bits: str = "8N1"
    """Data bits, parity, stop bits."""
    suffix: str = "any"
    """What ends a code: ``any`` (CR, LF, CR LF, TAB or ETX), ``cr``, ``lf``, ``tab``, ``packet`` (STX … ETX, for 2-D
    codes that hold line ends), ``none`` (a pause)."""
    feedback: str = "none"
    """Who tells the scanner whether its code was good: ``none``, ``honeywell`` (ACK / NAK) or ``datalogic`` (beeps).
    An SSI scanner is always told."""
    duplicate_ms: int = 700
    """The same code again within this time is refused; 0 = never."""


class ScaleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scale and the protocol it speaks."""

    port: str = ""
    """As a scanner's; a USB scale without a serial line is ``hid:VID:PID`` or ``hid:VID:PID:SERIAL``."""
    driver: str = "mt_sics"
    baud: int = 0
    """0 = the maker's default."""
    bits: str = ""
    """Empty = the maker's default."""
    unit: str = ""
    """For protocols that send no unit: what the scale is set to; empty = the maker's default."""
    poll: str = ""
    """What asks the scale for a weight if not the driver's own request, e.g. ``IP\\r\\n``."""


class WeightConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the weight is judged where it was learned what an article weighs."""

    false_alarms: str = "1%"
    """Share of complete units that may be called into doubt, ``0.01%`` to ``20%``, as text: a tighter budget finds
    less."""

    def __post_init__(self) -> None:
        self.budget  # noqa: B018 (it is computed to be refused with the file's name)

    @property
    def budget(self) -> float:
        """The share as a number between 0 and 1.

        Raises:
            ValueError: not a share in per cent.
        """
        found = _PER_CENT.fullmatch(self.false_alarms.strip())
        basis_points = int(found["whole"]) * 100 + int((found["part"] or "").ljust(2, "0")) if found else 0
        if not 1 <= basis_points <= 2_000:
            raise ValueError(f"false_alarms = {self.false_alarms!r}: expected a share from 0.01% to 20%, e.g. '1%'")
        return basis_points / 10_000


class WedgeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scanner that types like a keyboard: the fall-back, slower and less sure than a serial line."""

    enabled: bool = False
    prefix: str = ""
    """A key the scanner sends first, e.g. ``F9``; empty = codes are told from typing by their speed alone."""


class CameraConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A camera."""

    source: str = ""
    """Index, device path, ``usb:VID:PID:SERIAL``, ``usb:VID:PID@PLACE``, file or URL (``http``, ``rtsp``)."""
    width: int = 1920
    height: int = 1080
    backend: str = "auto"
    """``auto``, ``v4l2``, ``msmf``, ``dshow`` or ``ffmpeg``."""
    lock: bool = True
    """Freeze exposure, focus and white balance once they have settled, so that photos can be compared."""


class PrinterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A label printer."""

    kind: str = "zpl"
    """``zpl``, ``escpos``, or ``system`` (a printer that the operating system drives)."""
    address: str = ""
    """``HOST`` or ``HOST:PORT`` (9100 unless said), a serial port as a scanner's, or the system printer's name."""
    baud: int = 9600
    """Of a serial printer."""
    template: str = "unit"
    """Name of a file under ``resources/labels``."""
    dpi: int = 203
    """Dots per inch of the print head: 203 or 300."""
    scan_back: bool = False
    """The inspector scans each printed label: only then it counts as printed."""


class SyncConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the centre is."""

    server: str = ""
    """Base URL; empty = this bench works alone."""


class BackupConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The daily backup of this bench."""

    folder: str = ""
    """Best on another disk or a share; empty = beside the database, which saves from a damaged file and not from a
    broken disk."""
    keep: int = 3
    """How many days' backups are kept, at least 1."""


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
    scanner_2: ScannerConfig = ScannerConfig()
    wedge: WedgeConfig = WedgeConfig()
    scale: ScaleConfig = ScaleConfig()
    weight: WeightConfig = WeightConfig()
    camera: CameraConfig = CameraConfig()
    camera_2: CameraConfig = CameraConfig()
    """A second view; its pictures go to the same shots, by PHOTO."""
    printer: PrinterConfig = PrinterConfig()
    sync: SyncConfig = SyncConfig()
    backup: BackupConfig = BackupConfig()
    screen: ScreenConfig = ScreenConfig()


def load_config(home: Path) -> Config:
    """Read ``home/station.toml`` over ``home/devices.toml``, key by key; a missing file means the defaults.

    Raises:
        InvalidInput: unknown key (with "did you mean"), wrong type, not TOML; names the file.
    """
    path = home / FILE_NAME
    paired = read_paired(home)
    typed(paired, Config)
    if not path.exists():
        return typed(paired, Config)
    written = read_toml(path)
    typed(written, Config)
    return typed(replace(written, table=layered(paired.table, written.table)), Config)
