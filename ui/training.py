"""Training: the bench's own window over a home of its own. What there is not cannot be reached: no server, no printer,
no scale, no camera; a scanner on a serial line may be used for the answers.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from devices.camera.jpeg import parse_jpeg
from station.assets import asset
from station.clock import Clock, SystemClock
from station.config import Config, ScannerConfig
from station.decision.rules import folders_for, load_rules
from station.errors import InvalidInput
from station.exchange.reading import read_catalogue
from station.ids import uuid7
from station.inspection.desk import Desk, Seat
from station.inspection.facts import Photo
from station.returns.model import CatalogueItem, Merchant
from station.store.store import Store
from station.training.desk import TrainingDesk
from station.training.feedback import Session
from station.training.item import RecordedPhoto, TrainingItem, item_of_dossier, read_items
from ui.app import SHIFT, BenchApp

STATION = "training"
MARK = "TRAINING"
_MARK_FILE = ".station-training"
_BALLAST = 1 << 20


def training_home(home: Path) -> Path:
    """The folder beside a station's home that training uses."""
    return home.with_name(f"{home.name}-training")


def make_room(folder: Path) -> None:
    """An empty folder; what an earlier training left there is cleared away, nothing else is touched.

    Raises:
        InvalidInput: the folder holds something that no training has put there.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK_FILE).exists():
            raise InvalidInput(f"{str(folder)!r} is not a training's folder: move it away, it is not touched")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK_FILE).write_text("what a training left; the next one clears it away\n", encoding="utf-8")


def shipped_items() -> tuple[TrainingItem, ...]:
    """The items that come with the program; their articles are the demo's."""
    with asset("demo", "merchants.csv").open(encoding="utf-8", newline="") as file:
        merchants = [
            Merchant(row["merchant"], row["name"], row["policy"], row["grading_scheme"], row["currency"])
            for row in csv.DictReader(file)
        ]
    catalogue = [item for item in read_catalogue(asset("demo", "catalogue.csv")) if isinstance(item, CatalogueItem)]
    return read_items(asset("training", "items.toml"), merchants, catalogue)


def items_of(dossiers: Sequence[Path]) -> tuple[TrainingItem, ...]:
    """Items from dossiers of this site.

    Raises:
        InvalidInput: one cannot be read or trained with.
    """
    return tuple(item_of_dossier(path.read_bytes(), path.stem) for path in dossiers)


def training_config(config: Config) -> Config:
    """What a training may use of a bench's configuration: who works here, how the screen looks, serial scanners."""

    def without_network(scanner: ScannerConfig) -> ScannerConfig:
        return ScannerConfig() if "://" in scanner.port else scanner

    return Config(
        station=msgspec.structs.replace(config.station, id=STATION),
        scanner=without_network(config.scanner),
        scanner_2=without_network(config.scanner_2),
        wedge=config.wedge,
        screen=config.screen,
    )


class TrainingApp(BenchApp):
    """One bench in training."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        items: Sequence[TrainingItem],
        rules_home: Path,
        *,
        clock: Clock | None = None,
    ) -> None:
        """
        Args:
            folder: made by ``make_room``.
            config: the bench's own; only what ``training_config`` leaves of it is used.
            rules_home: the real home, whose rules are read.
        """
        self._items = tuple(items)
        self._rules_home = rules_home
        self._trainer: TrainingDesk | None = None
        self._training_clock = clock or SystemClock()
        super().__init__(
            folder, training_config(config), clock=self._training_clock, pictures=asset("demo", "pictures")
        )
        self.window.setWindowTitle(f"{MARK} · {self.window.windowTitle()}")
        self.window.page.band.show_mark(MARK)

    def start(self) -> None:
        super().start()
        for device in ("scale", "camera", "printer"):
            self.window.show_light(device, "working", "")

    @property
    def session(self) -> Session:
        """What the training came to; after ``stop``."""
        return self._trainer.session if self._trainer is not None else Session((), len(self._items))

    def _open_desk(self) -> Desk:
        store = Store.open(self._home, station=STATION, clock=self._training_clock, ballast_bytes=_BALLAST)
        self._store = store
        now = self._training_clock.now()
        store.put_merchants({item.merchant.id: item.merchant for item in self._items}.values())
        store.put_items({(item.item.merchant_id, item.item.sku): item.item for item in self._items}.values())
        store.put_returns(item.authorisation(number, now) for number, item in enumerate(self._items, 1))
        self._trainer = TrainingDesk(
            store, load_rules(folders_for(self._rules_home)), Seat(STATION, self._config.station.inspector),
            self._training_clock, uuid7, now - SHIFT, self._items, self._keep,
        )  # fmt: skip
        return self._trainer

    def _keep(self, recorded: RecordedPhoto, at: datetime) -> Photo:
        return keep_recorded(self._the_store(), recorded, at)


def keep_recorded(store: Store, recorded: RecordedPhoto, at: datetime) -> Photo:
    """Store a recorded photo as if a camera had taken it."""
    stored = store.photos.keep(recorded.jpeg)
    width, height = _size(recorded.jpeg)
    return Photo(stored.sha256, stored.size, width, height, recorded.shot, at, -1, 128, STATION)


def _size(jpeg: bytes) -> tuple[int, int]:
    """Width and height from the frame header. Source: ITU-T T.81, B.2.2 (SOF0 to SOF2)."""
    frame = next((part.body for part in parse_jpeg(jpeg).head if part.marker in (0xC0, 0xC1, 0xC2)), None)
    if frame is None or len(frame) < 5:
        raise InvalidInput("a recorded photo has no frame that can be shown: it must be a baseline or progressive JPEG")
    return int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])
