"""The centre without its HTTP, in this process: its journal, projection, photo folder and database are the real ones.

``die`` leaves what a killed process leaves; ``full`` is a disk that is full, in SQLite's own words.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, event

from station.errors import StoreFault
from sync.protocol import HelloAnswer, Limits, MissingAnswer, MissingRequest, PhotoAnswer, PushAnswer, PushRequest
from sync.server.journal import Journal
from sync.server.judge import judge
from sync.server.photos import PhotoRegister
from sync.server.photos.folder import PhotoFolder
from sync.server.photos.ports import Upload
from sync.server.projection import project
from sync.server.storage import database_url, open_database

LIMITS = Limits(batch_entries=20)


class DiesInTransaction(Exception):
    """The centre's process is gone."""


class FullFolder(PhotoFolder):
    """A photo folder whose disk can be full: half of a photo still fits."""

    full = False

    def receive(self, sha256: str) -> Upload:
        upload = super().receive(sha256)
        if self.full:
            upload.write(b"\xff\xd8\xff half a photo")
            upload.abandon()
            raise StoreFault("the photo folder cannot be written: No space left on device")
        return upload


class ModelCentre:
    """The centre without its HTTP; ``die`` leaves what a killed process leaves."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._saved = home.with_name("saved")
        self.epochs = 0
        self.full = False
        self.dies_in_transaction = False
        self._start()
        self.back_up()

    def _start(self) -> None:
        self.database = open_database(database_url(f"sqlite:///{self._home / 'server.sqlite3'}"))
        event.listen(self.database._engine, "begin", self._on_begin)
        event.listen(self.database._engine, "commit", self._on_commit)
        self.folder = FullFolder(self._home / "photos")
        self.journal = Journal(self.database, (project,))
        self.photos = PhotoRegister(self.database, self.folder)

    def _on_begin(self, connection: Connection) -> None:
        # the real thing for a database: SQLite itself says that it is full
        pages = 1 if self.full else 1_000_000
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def _on_commit(self, connection: Connection) -> None:
        if self.dies_in_transaction:
            raise DiesInTransaction

    def die(self) -> None:
        self.dies_in_transaction = False
        self.database.close()
        self._start()

    def back_up(self) -> None:
        self.database.close()
        shutil.rmtree(self._saved, ignore_errors=True)
        shutil.copytree(self._home, self._saved)
        self._start()

    def restore(self) -> None:
        self.database.close()
        shutil.rmtree(self._home)
        shutil.copytree(self._saved, self._home)
        self._start()
        with self.database.writing() as connection:
            self.epochs += 1
            connection.exec_driver_sql(f"UPDATE server_facts SET value = 'epoch-{self.epochs}' WHERE name = 'epoch'")
        self.die()

    def close(self) -> None:
        self.database.close()

    def hello(self, station: str) -> HelloAnswer:
        return HelloAnswer(1, self.database.epoch, "", LIMITS, list(self.journal.heads("main", station)))

    def push(self, body: bytes, at: datetime) -> PushAnswer:
        request = msgspec.json.decode(body, type=PushRequest)
        judged = [judge(request.station, bytes(raw)) for raw in request.entries]
        pushed = self.journal.push("main", request.station, judged, at)
        return PushAnswer(1, self.database.epoch, list(pushed.results), list(pushed.heads), "")

    def missing(self, body: bytes) -> MissingAnswer:
        asked = msgspec.json.decode(body, type=MissingRequest).hashes
        held = self.photos.held("main", asked)
        return MissingAnswer([item for item in asked if item not in held], sorted(held))

    def put_photo(self, sha256: str, jpeg: bytes, at: datetime) -> PhotoAnswer:
        self.folder.full = self.full
        upload = self.folder.receive(sha256)
        try:
            upload.write(jpeg)
            upload.keep()
        finally:
            upload.abandon()
        self.photos.note("main", sha256, len(jpeg), at)
        return PhotoAnswer(sha256, len(jpeg), "stored")
