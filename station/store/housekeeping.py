"""What a bench does for itself when nobody works at it: remove photos that nothing names, and save itself once a day.

Context: photos of items that were cancelled stay as files; a database that is damaged is worth what its last good copy
is worth; and nobody at a warehouse starts a backup by hand. Decision: at start, and once a day, when nothing was
recorded for a minute (after a day without such a minute: when there is one at all), old orphans are swept and the bench
is copied into ``backups/daily-YYYYMMDD`` (or another folder, best on another disk). A copy counts only when SQLite
finds it whole *and* its chain of hashes holds: a backup of a damaged journal never takes the place of a good one. Of
the finished ones the newest few are kept. Photos are named a second time instead of copied where the disk allows it.
Nothing is done that the disk has no room for. Acknowledged entries and their photos are left alone, however old.
Price: a bench that never rests is saved late; two clocks are trusted, but only to say whether a day has passed.

What was done is kept in ``housekeeping.json`` and told by :func:`findings`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from station.clock import Clock
from station.errors import StationError, StoreFault
from station.health import Finding, Health
from station.journal.chain import check_link
from station.journal.entry import GENESIS
from station.store.backup import MANIFEST, back_up
from station.store.durable import write_durably
from station.store.engine import faults, make_engine
from station.store.entries import all_entries
from station.store.store import BACKUPS, DATABASE, Store

logger = logging.getLogger(__name__)

REPORT: Final = "housekeeping.json"
_PREFIX: Final = "daily-"
_DAY: Final = timedelta(hours=20)
"""Since the last one; less than a day, so that it does not wander around the clock."""
_LATE: Final = timedelta(hours=44)
_QUIET_S: Final = 60.0
_SHORT_QUIET_S: Final = 5.0
_RESERVE: Final = 64 << 20
"""Bytes that stay free behind a backup, for the bench's own work."""
_STALE: Final = timedelta(days=3)


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was done last; ``housekeeping.json``."""

    swept_at: datetime | None = None
    swept: int = 0
    """Files removed then."""
    saved_at: datetime | None = None
    saved_to: str = ""
    """Folder of the newest good backup."""
    entries: str = ""
    """How far its journal goes, ``generation/seq``."""
    photos_missing: int = 0
    tried_at: datetime | None = None
    problem: str = ""
    """Why the last try made no backup; empty = it did."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the configuration says."""

    folder: Path
    keep: int = 3


def plan_for(home: Path, folder: str = "", keep: int = 3) -> Plan:
    """The plan of a configuration; an empty folder is the one beside the database."""
    return Plan(Path(folder).expanduser() if folder else home / BACKUPS, max(1, keep))


def read_report(home: Path) -> Report:
    """What was done last; nothing where nothing is known."""
    try:
        return msgspec.json.decode((home / REPORT).read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError):
        return Report()


class Housekeeping:
    """The room's one worker, on a thread of its own."""

    def __init__(self, store: Store, plan: Plan, clock: Clock) -> None:
        self._store = store
        self._plan = plan
        self._clock = clock
        self._has_swept = False
        self._report = read_report(store.home)

    @property
    def is_due(self) -> bool:
        """Whether there is something to do and the bench rests."""
        report, now = self._report, self._clock.now()
        overdue = _since(report.tried_at, now)
        if self._has_swept and overdue < _DAY:
            return False
        return self._store.quiet_s >= (_SHORT_QUIET_S if overdue >= _LATE else _QUIET_S)

    def work(self, should_stop: Callable[[], bool] = lambda: False) -> Report:
        """Do what is due; never raises for the disk's sake.

        Args:
            should_stop: true ends it within moments, with nothing half done that counts.
        """
        now = self._clock.now()
        report = self._report
        if not self._has_swept or _since(report.swept_at, now) >= _DAY:
            report = self._sweep(report, should_stop)
        if not should_stop() and _since(report.tried_at, now) >= _DAY:
            report = self._save(report, should_stop)
        if report != self._report:
            self._report = report
            try:
                write_durably(self._store.home / REPORT, msgspec.json.encode(report))
            except OSError as error:
                logger.warning("what was done by itself could not be written down: %s", error)
        return report

    def _sweep(self, report: Report, should_stop: Callable[[], bool]) -> Report:
        self._has_swept = True  # also where it fails: tried again tomorrow
        try:
            gone = self._store.sweep_orphans(should_stop=should_stop)
        except (StationError, OSError) as error:
            logger.warning("photos that nothing names could not be removed: %s", error)
            return report
        if should_stop():
            return report
        logger.info("%d files that nothing names were removed", len(gone))
        return msgspec.structs.replace(report, swept_at=self._clock.now(), swept=len(gone))

    def _save(self, report: Report, should_stop: Callable[[], bool]) -> Report:
        now = self._clock.now()
        target = self._plan.folder / f"{_PREFIX}{now:%Y%m%d}"
        try:
            self._make_room(target)
            made = back_up(
                self._store.home, target, self._clock, beside=finished(self._plan.folder) or [target],
                check=lambda copy: verify_copy(copy, should_stop), should_stop=should_stop,
            )  # fmt: skip
        except (StationError, OSError) as error:
            _remove_unfinished(self._plan.folder)
            if should_stop():
                return report  # tried again after the next start
            logger.warning("the bench could not be saved: %s", error)
            return msgspec.structs.replace(report, tried_at=now, problem=str(error))
        self._prune()
        logger.info("the bench was saved to %s", target)
        return msgspec.structs.replace(
            report, tried_at=now, saved_at=now, saved_to=str(target), entries=f"{made.generation}/{made.seq}",
            photos_missing=made.photos_missing, problem="",
        )  # fmt: skip

    def _make_room(self, target: Path) -> None:
        """Refuse before anything is written where the disk has no room; older backups than the newest give way.

        Raises:
            StoreFault: no room.
        """
        self._plan.folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(self._plan.folder)
        database = self._store.home / DATABASE
        wal = database.with_name(database.name + "-wal")
        size = database.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
        for old in [*finished(self._plan.folder)[1:][::-1], None]:
            free = shutil.disk_usage(self._plan.folder).free
            if free >= 2 * size + _RESERVE:
                return
            if old is not None and old != target:
                shutil.rmtree(old, ignore_errors=True)
        raise StoreFault(
            f"a backup to {str(self._plan.folder)!r} needs {(2 * size + _RESERVE) >> 20} MB, {free >> 20} MB are free; "
            "free some space, or name another folder under [backup] in station.toml"
        )

    def _prune(self) -> None:
        for old in finished(self._plan.folder)[self._plan.keep :]:
            shutil.rmtree(old, ignore_errors=True)
            logger.info("the backup %s was removed: %d newer ones are there", old.name, self._plan.keep)


def finished(folder: Path) -> list[Path]:
    """The daily backups that have their manifest, newest first."""
    return sorted((path for path in folder.glob(f"{_PREFIX}*") if (path / MANIFEST).is_file()), reverse=True)


def verify_copy(copy: Path, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Recompute every hash and link of a copy at rest.

    Raises:
        StoreFault: the journal in it is damaged; the text says where.
    """

    def unreadable(position: int, error: Exception) -> None:
        raise StoreFault(f"entry at position {position} cannot be read: {error}; run 'station journal verify'")

    ends: dict[int, tuple[int, str]] = {}
    engine = make_engine(copy, "reader", read_only=True, at_rest=True)
    try:
        with faults("checking the copy"), engine.connect() as connection, connection.begin():
            for entry in all_entries(connection, unreadable):
                seq, prev_hash = ends.get(entry.generation, (0, GENESIS))
                for problem in check_link(entry, expected_seq=seq + 1, prev_hash=prev_hash):
                    raise StoreFault(f"the journal is damaged: {problem.text}; run 'station journal verify'")
                if should_stop():
                    raise StoreFault("the backup was stopped")
                ends[entry.generation] = (entry.seq, entry.hash)
    finally:
        engine.dispose()


def findings(home: Path, clock: Clock) -> tuple[Finding, ...]:
    """What a doctor says about backup and sweep; needs no open store."""
    report = read_report(home)
    age = _since(report.saved_at, clock.now())
    by_hand = "see why in the log; 'station backup --out FOLDER' saves it by hand"
    if report.saved_at is None:
        why = f": {report.problem}" if report.problem else ""
        backup = Finding("backup", Health.WARN, f"this bench was never saved by itself{why}", by_hand)
    elif not Path(report.saved_to, MANIFEST).is_file():
        backup = Finding("backup", Health.WARN, f"the last backup is not at {report.saved_to!r} any more", by_hand)
    elif report.problem or age >= _STALE:
        why = report.problem or "the bench had no quiet minute"
        backup = Finding("backup", Health.WARN, f"last saved {_day(report.saved_at)}, not since: {why}", by_hand)
    elif report.photos_missing:
        backup = Finding(
            "backup", Health.WARN, f"saved {_day(report.saved_at)}, but {report.photos_missing} photos are gone here",
            "run 'station journal verify'; an older backup may have them",
        )  # fmt: skip
    else:
        backup = Finding(
            "backup", Health.OK, f"saved {_day(report.saved_at)} up to {report.entries} to {report.saved_to}"
        )
    swept = f"{report.swept} files removed {_day(report.swept_at)}" if report.swept_at else "not yet"
    return backup, Finding("sweep", Health.OK, f"photos that nothing names: {swept}")


def _remove_unfinished(folder: Path) -> None:
    """What a kill or a full disk left: a day's folder without its manifest."""
    for path in folder.glob(f"{_PREFIX}*"):
        if not (path / MANIFEST).is_file():
            shutil.rmtree(path, ignore_errors=True)


def _since(at: datetime | None, now: datetime) -> timedelta:
    """How long ago; for ever where it never was, or lies in the future (a clock was set)."""
    return now - at if at is not None and at <= now else timedelta.max


def _day(at: datetime) -> str:
    return f"on {at:%Y-%m-%d at %H:%M} UTC"
