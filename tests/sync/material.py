"""What the sync tests are made of: real inspections, real chains, an outbox in a SQLite file, a real server process."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

import httpx

from station.canonical import canonical_json
from station.decision.model import Alternative, AxisLevel, Decision, Disposition, Gate, GateState, Grade, Reason, Refund
from station.errors import StoreFault
from station.identify.scan import RawScan
from station.ids import uuid7
from station.inspection.facts import (
    Answer,
    IdentityOutcome,
    Photo,
    StableSource,
    StepTime,
    WeightJudgement,
    WeightReading,
    WeightVerdict,
)
from station.inspection.record import INSPECTION_CONFIRMED, INSPECTION_VOIDED, Inspection, InspectionVoided
from station.journal.entry import GENESIS, Entry, Fact, link
from station.quantities import Money
from station.store.outbox import Acknowledgement, Unsent
from sync.client.decide import Timing
from tests import forked

STATION = "bench-1"
START = datetime(2026, 11, 22, 10, 17, 3, 250000, tzinfo=UTC)
SWIFT = Timing(first_s=0.02, offline_cap_s=0.2, server_cap_s=0.2, pause_s=0.2, idle_s=0.3, stuck_s=0.5, stuck_cap_s=5.0)
"""Waits for tests: the same shape as the product's, a fiftieth of the length."""


def jpeg_of(number: int, size: int = 3000) -> bytes:
    """Bytes that are a JPEG by their segments (no decoder would like the picture) and differ by number."""
    scan = (hashlib.sha256(str(number).encode()).digest() * (size // 32)).replace(b"\xff", b"\xfe")
    frame = b"\xff\xc0\x00\x0b\x08\x04\x38\x07\x80\x01\x01\x11\x00"
    head = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    return b"\xff\xd8" + head + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + scan + b"\xff\xd9"


def an_inspection(number: int, photos: Sequence[bytes] = (), corrects: str | None = None) -> Inspection:
    """An inspection as long as real ones are (2–3 kB with three photos)."""
    at = START + timedelta(seconds=number)
    because = Reason("grade_b", "The box is dented on one corner; the item itself shows no trace of use.")
    routes = (Disposition.REFURBISH, Disposition.REPACKAGE, Disposition.LIQUIDATE, Disposition.RECYCLE)
    return Inspection(
        inspection_id=uuid7(), unit_id=uuid7(), lpn=f"LPN{number:09d}", parcel_id=uuid7(),
        rma=f"RMA-2026-{number:06d}", merchant_id="acme", line=1, sku=f"HD-{number % 997}", gtin="04260000000011",
        title="Over-ear headphones, black", category="electronics.audio", serial_declared=f"HD7-{number}",
        serial_found=f"HD7-{number}", identity=IdentityOutcome.MATCH,
        scans=(RawScan(f"RMA-2026-{number:06d}".encode(), "scanner-1", at),
               RawScan(b"]C1010426000000001121HD7", "scanner-1", at)),
        weight=WeightReading(286_000, StableSource.SCALE, "g", 100, b"S S     286.0 g\r\n", "scale-1", at),
        judgement=WeightJudgement(WeightVerdict.PLAUSIBLE, 1_000, 285_000, 9_000, None),
        photos=tuple(
            Photo(hashlib.sha256(jpeg).hexdigest(), len(jpeg), 1920, 1080, f"shot{n}", at, 4200, 131, "camera-1")
            for n, jpeg in enumerate(photos)
        ),
        answers=(Answer("seal", "broken", "scan"), Answer("cosmetic", "light", "key")),
        defects=(("deformation", "minor"),), declared_reason="unwanted",
        decision=Decision(
            Grade("B", "Light traces, works", "standard", 3,
                  (AxisLevel("function", 6, 6, "works"), AxisLevel("cosmetics", 4, 6, "light traces"))),
            (Gate("lithium", GateState.CLEAR, Reason("lithium_ok", "The cell is undamaged."), (Disposition.RESTOCK,)),),
            Disposition.REFURBISH, (because,),
            tuple(Alternative(route, Money(4990 - 700 * n, "EUR"), True, because) for n, route in enumerate(routes)),
            Refund(Money(5490, "EUR"), "full", (Reason("in_window", "Returned on day 9 of 30."),)), "R-14", None, (),
            False, (("protocol", "electronics@4 " + "a" * 64), ("policy", "small_brand@2 " + "b" * 64)),
        ),
        skipped=(), timings=(StepTime("item", 1800), StepTime("weight", 2400), StepTime("questions", 3100)),
        corrects=corrects, started_at=at, confirmed_at=at + timedelta(seconds=9),
    )  # fmt: skip


def fact(inspection: Inspection) -> Fact:
    return Fact(INSPECTION_CONFIRMED, 1, canonical_json(inspection))


def void_of(inspection: Inspection) -> Fact:
    return Fact(INSPECTION_VOIDED, 1, canonical_json(InspectionVoided(inspection.inspection_id, "undo", START)))


def chain(facts: Iterable[Fact], after: Entry | None = None, *, generation: int = 1) -> list[Entry]:
    """Entries as the journal links them."""
    made: list[Entry] = []
    for each in facts:
        last = made[-1] if made else after
        made.append(
            link(each, station=STATION, generation=generation, seq=last.seq + 1 if last else 1, id=uuid7(),
                 recorded_at="2026-11-22T10:17:03.250000Z", actor="B-17",
                 prev_hash=last.hash if last else GENESIS)
        )  # fmt: skip
    return made


def some_entries(count: int, photos: int = 0, first: int = 0) -> tuple[list[Entry], dict[str, bytes]]:
    """A chain of inspections, and the photos that it names by their hash."""
    jpegs: dict[str, bytes] = {}
    facts = []
    for number in range(first, first + count):
        mine = [jpeg_of(number * 100 + n) for n in range(photos)]
        jpegs |= {hashlib.sha256(jpeg).hexdigest(): jpeg for jpeg in mine}
        facts.append(fact(an_inspection(number, mine)))
    return chain(facts), jpegs


MOST_AT_ONCE = 100
"""Entries of one request, fewer than the server takes: the more requests, the more of them meet a fault."""


class FileOutbox:
    """An ``Outbox`` in a SQLite file with FULL: what a killed bench finds again."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE IF NOT EXISTS entry (generation INT, seq INT, body BLOB, status TEXT, code TEXT,"
            " PRIMARY KEY (generation, seq));"
            "CREATE INDEX IF NOT EXISTS pending ON entry (generation, seq) WHERE status IS NULL;"
            "CREATE TABLE IF NOT EXISTS photo (sha256 TEXT PRIMARY KEY, generation INT, seq INT, jpeg BLOB,"
            " state TEXT);"
            "CREATE TABLE IF NOT EXISTS value (key TEXT PRIMARY KEY, value TEXT);"
        )
        self.station = STATION

    def close(self) -> None:
        self._db.close()

    def record(self, entries: Iterable[Entry], jpegs: dict[str, bytes] | None = None) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            for entry in entries:
                self._db.execute(
                    "INSERT INTO entry VALUES (?,?,?,NULL,NULL)", (entry.generation, entry.seq, _pack(entry))
                )
                for sha256, jpeg in (jpegs or {}).items():
                    if entry.payload and sha256.encode() in entry.payload:
                        self._db.execute(
                            "INSERT OR IGNORE INTO photo VALUES (?,?,?,?,NULL)",
                            (sha256, entry.generation, entry.seq, jpeg),
                        )
            self._db.execute("COMMIT")

    def pending_entries(self, limit: int, max_bytes: int, after: tuple[int, int] | None = None) -> tuple[Entry, ...]:
        found: list[Entry] = []
        size = 0
        for (body,) in self._all(
            "SELECT body FROM entry WHERE status IS NULL AND (generation, seq) > (?, ?)"
            " ORDER BY generation, seq LIMIT ?",
            (*(after or (0, 0)), min(limit, MOST_AT_ONCE)),
        ):
            entry = _unpack(body)
            size += len(entry.payload or b"")
            if found and size > max_bytes:
                break
            found.append(entry)
        return tuple(found)

    def acknowledge(self, answers: Sequence[Acknowledgement]) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "UPDATE entry SET status=?, code=? WHERE generation=? AND seq=? AND status IS NULL",
                [(a.status, a.code, a.generation, a.seq) for a in answers],
            )
            self._db.execute("COMMIT")

    def unsent(self) -> Unsent:
        entries = self._all("SELECT count(*) FROM entry WHERE status IS NULL")[0][0]
        photos = self._all("SELECT count(*) FROM photo WHERE state IS NULL")[0][0]
        quarantined = self._all("SELECT count(*) FROM entry WHERE status='quarantined'")[0][0]
        return Unsent(entries, photos, START if entries else None, quarantined)

    def photos_to_send(self, limit: int) -> tuple[str, ...]:
        rows = self._all(
            "SELECT sha256 FROM photo p WHERE state IS NULL AND EXISTS (SELECT 1 FROM entry e WHERE"
            " e.generation=p.generation AND e.seq=p.seq AND e.status IS NOT NULL) ORDER BY generation, seq LIMIT ?",
            (limit,),
        )
        return tuple(sha256 for (sha256,) in rows)

    def photo_bytes(self, sha256: str) -> bytes:
        rows = self._all("SELECT jpeg FROM photo WHERE sha256=?", (sha256,))
        if not rows or rows[0][0] is None:
            raise StoreFault(f"photo {sha256} is gone from the disk")
        return bytes(rows[0][0])

    def photo_sent(self, sha256: str) -> None:
        self._run("UPDATE photo SET state='sent' WHERE sha256=?", (sha256,))

    def photo_lost(self, sha256: str, reason: str) -> None:
        self._run("UPDATE photo SET state='lost: '||? WHERE sha256=?", (reason, sha256))

    def sync_value(self, key: str) -> str | None:
        rows = self._all("SELECT value FROM value WHERE key=?", (key,))
        return rows[0][0] if rows else None

    def set_sync_value(self, key: str, value: str) -> None:
        self._run("INSERT OR REPLACE INTO value VALUES (?,?)", (key, value))

    def at_server(self) -> Mapping[int, int]:
        held = (
            "SELECT generation, max(seq) FROM entry WHERE status IN ('accepted', 'duplicate', 'quarantined') GROUP BY 1"
        )
        return dict(self._all(held))

    def reopen(self, held: Mapping[int, int]) -> int:
        before = self.unsent().entries
        for generation, seq in self._all("SELECT generation, max(seq) FROM entry GROUP BY generation"):
            if held.get(generation, 0) < seq:
                self._run(
                    "UPDATE entry SET status=NULL WHERE generation=? AND seq>?", (generation, held.get(generation, 0))
                )
        self._run("UPDATE photo SET state=NULL WHERE state='sent'", ())
        return self.unsent().entries - before

    # what only tests ask

    def entries(self) -> list[Entry]:
        return [_unpack(body) for (body,) in self._all("SELECT body FROM entry ORDER BY generation, seq")]

    def statuses(self) -> dict[int, tuple[str | None, str | None]]:
        return {seq: (status, code) for seq, status, code in self._all("SELECT seq, status, code FROM entry")}

    def photo_states(self) -> dict[str, str | None]:
        return dict(self._all("SELECT sha256, state FROM photo"))

    def spoil_photo(self, sha256: str, jpeg: bytes | None) -> None:
        self._run("UPDATE photo SET jpeg=? WHERE sha256=?", (jpeg, sha256))

    def _all(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple]:
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def _run(self, sql: str, parameters: tuple[object, ...]) -> None:
        with self._lock:
            self._db.execute(sql, parameters)


def _pack(entry: Entry) -> bytes:
    plain = list(astuple(entry))
    return json.dumps([item.decode("latin-1") if isinstance(item, bytes) else item for item in plain]).encode()


def _unpack(body: bytes) -> Entry:
    plain = json.loads(body)
    plain[8] = plain[8].encode("latin-1") if plain[8] is not None else None
    return Entry(*plain)


def damaged(entry: Entry, **changes: object) -> Entry:
    """The same entry with fields that no longer fit its hash."""
    return replace(entry, **changes)


class ServerAtHome:
    """What tests ask of a server, wherever it runs."""

    home: Path
    url = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def database(self) -> Path:
        return self.home / "server" / "server.sqlite3"

    @property
    def photo_folder(self) -> Path:
        return self.home / "server" / "photos"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Station-Protocol": "1"}, trust_env=False)

    def status(self) -> dict[str, int]:
        return self.get("/v1/status").json()

    def until_counted(self) -> None:
        """Figures and queue follow the pushes; return when they know everything."""
        until(lambda: "station_figures_behind 0\n" in self.get("/v1/metrics").text, 30, "figures have caught up")

    def rows(self, sql: str) -> list[tuple]:
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()


class LocalServer(ServerAtHome):
    """The server on a thread of this process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.start("127.0.0.1:0")

    def start(self, listen: str) -> None:
        from sync.server.run import ServerSettings, serve  # not for the client processes of the kill tests

        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=serve, args=(ServerSettings(self.home, listen), self._listening, self._stop)
        )
        self._thread.start()
        assert self._ready.wait(20)

    def _listening(self, url: str) -> None:
        self.url = url
        self._ready.set()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


class ServerProcess(ServerAtHome):
    """``station server`` as its own process; can be killed and started again on the same home and port."""

    def __init__(
        self, home: Path, *arguments: str, environment: dict[str, str] | None = None,
        body: Callable[[Path, list[str], Connection], None] | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            body: what runs in the process; None = ``station server`` as it is. May be another one at the next start.
        """
        self.home = home
        self.body = body
        self._arguments = arguments
        self._environment = environment or {}
        self._process: BaseProcess | None = None
        self._port = 0
        self.start()

    def start(self) -> None:
        hears, says = forked.context().Pipe(duplex=False)
        words = ["--listen", f"127.0.0.1:{self._port}", *self._arguments]
        self._process = forked.start(
            self.body or serve_words, self.home, words, says,
            log=self.home.parent / f"{self.home.name}.log", environment=self._environment,
        )  # fmt: skip
        says.close()
        with os.fdopen(os.dup(hears.fileno())) as told:
            hears.close()
            line = told.readline()
        assert line, f"the server did not start: {self.log()[-2000:]}"
        self.url = json.loads(line)["listening"]
        self._port = int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._end()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._end()

    def _end(self) -> int:
        assert self._process is not None
        self._process.join(20)
        assert self._process.exitcode is not None, "it lives on"
        return self._process.exitcode

    def log(self) -> str:
        return (self.home.parent / f"{self.home.name}.log").read_text()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.exitcode is None:
            self.kill()


def serve_words(home: Path, words: list[str], says: Connection) -> None:
    """``station server`` with these words; what it prints goes to the test that started it."""
    from ui.cli.server import server

    os.dup2(says.fileno(), 1)
    says.close()
    server(words, obj=home)


def discrepancies(server: ServerAtHome, entries: Sequence[Entry]) -> list[str]:
    """Compare the server with what was recorded: everything there, once, byte for byte. Empty = exactly once."""
    wrong = []
    found: dict[str, list[tuple]] = {}
    for row in server.rows("SELECT id, generation, seq, payload, hash, prev_hash FROM entries"):
        found.setdefault(row[0], []).append(row[1:])
    for entry in entries:
        rows = found.pop(entry.id, [])
        if len(rows) != 1:
            wrong.append(f"entry {entry.seq} is there {len(rows)} times")
        elif rows[0] != (entry.generation, entry.seq, entry.payload, entry.hash, entry.prev_hash):
            wrong.append(f"entry {entry.seq} differs")
    wrong += [f"entry {identity} was never recorded" for identity in found]
    inspected = [entry for entry in entries if entry.kind == INSPECTION_CONFIRMED]
    count = server.rows("SELECT count(*) FROM inspections")[0][0]
    if count != len(inspected):
        wrong.append(f"{count} inspections instead of {len(inspected)}")
    return wrong


def until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a condition with a deadline."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.01)


def dice(seed: int) -> random.Random:
    return random.Random(seed)
