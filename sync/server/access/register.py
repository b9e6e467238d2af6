"""Who is enrolled: codes, keys, revocation. Every change leaves a row in ``access_events``."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, update

from station.clock import Clock
from station.errors import InvalidInput
from station.ids import uuid7
from station.journal.seal import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    from_base64,
    is_signed,
    key_id,
    successor_statement,
    to_base64,
)
from sync.protocol import DEVICE_REVOKED, ServerKey, StationSummary
from sync.server.access.codes import code_hash, make_code, read_code
from sync.server.access.signing import SigningKey
from sync.server.errors import ApiError
from sync.server.operations.backlogs import backlogs
from sync.server.storage import Database
from sync.server.storage.rows import heads, server_facts
from sync.server.storage.rows_access import (
    access_events,
    enrol_codes,
    enrol_refusals,
    server_keys,
    station_keys,
    stations,
)

logger = logging.getLogger(__name__)

CODE_MINUTES: Final = 15
_HOME_SITE: Final = "main"
"""Where facts of the whole server stand."""
_REFUSALS: Final = 10
_REFUSALS_WITHIN: Final = timedelta(minutes=15)
_NAME_LIMIT: Final = 64

# Made once: every request and every push asks, and putting a statement together costs as much as running it.
_KNOWN: Final = (
    select(stations.c.key_id, stations.c.revoked_at, station_keys.c.public_key)
    .select_from(
        stations.outerjoin(
            station_keys,
            (station_keys.c.site_id == stations.c.site_id)
            & (station_keys.c.station == stations.c.station)
            & (station_keys.c.key_id == stations.c.key_id),
        )
    )
    .where(stations.c.site_id == bindparam("site_id"), stations.c.station == bindparam("station"))
)
_KNOWN_LOCKED: Final = _KNOWN.with_for_update(read=True, of=stations)


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A code as it is shown once."""

    station: str
    site_id: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A bench that joined."""

    station: str
    site_id: str
    key_id: str


@dataclass(frozen=True, slots=True)
class KnownStation:
    """What counts for a station now."""

    key_id: str | None
    public_key: bytes | None
    revoked_at: datetime | None


class Register:
    """The benches of all sites of this server. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.server_id = self._server_id()

    # codes

    def open_code(self, site_id: str, station: str, made_by: str, minutes: int = CODE_MINUTES) -> MadeCode:
        """Make a code for a station. An earlier one that was not used yet counts no more.

        Raises:
            InvalidInput: not a name for a station or a site.
        """
        for what, name in (("station", station), ("site", site_id)):
            if not 0 < len(name) <= _NAME_LIMIT or not name.isprintable() or name != name.strip():
                raise InvalidInput(f"{name!r} is no {what}'s name: expected 1 to {_NAME_LIMIT} printable characters")
        code = make_code()
        now = self._clock.now()
        expires_at = now + timedelta(minutes=minutes)
        with self._database.writing() as connection:
            connection.execute(
                self._database.insert_new(stations),
                {"site_id": site_id, "station": station, "key_id": None, "enrolled_at": None, "revoked_at": None},
            )
            connection.execute(
                enrol_codes.delete().where(
                    enrol_codes.c.site_id == site_id,
                    enrol_codes.c.station == station,
                    enrol_codes.c.used_at.is_(None),
                )
            )
            connection.execute(
                enrol_codes.insert(),
                {
                    "site_id": site_id, "code_hash": code_hash(read_code(code)), "station": station, "made_at": now,
                    "made_by": made_by, "expires_at": expires_at, "used_at": None, "key_id": None,
                },
            )  # fmt: skip
            self._note(connection, site_id, station, "code", made_by, f"good until {_text(expires_at)}")
        return MadeCode(station, site_id, code, expires_at)

    def enrol(self, text: str, public_key: str, source: str, station: str | None = None) -> Enrolled:
        """Let a bench in by its code; its key replaces an earlier one of that station. A repeat is fine.

        Args:
            source: network address that asks, for the rate limit.
            station: the code must be for this one; None = for whichever.

        Raises:
            ApiError: 429 too many wrong codes from there; 403 this one is wrong, used or too old (which of these, only
                our log says).
            InvalidInput: not a public key.
        """
        raw_key = from_base64(public_key, KEY_BYTES)
        now = self._clock.now()
        refused: str
        with self._database.writing() as connection:
            self._check_rate(connection, source, now)
            try:
                digest = code_hash(read_code(text))
            except InvalidInput:
                refused = "not a code"
            else:
                found = connection.execute(
                    select(enrol_codes).where(enrol_codes.c.code_hash == digest).with_for_update()
                ).one_or_none()
                if found is None:
                    refused = "unknown"
                elif station not in (None, found.station):
                    refused = "for another station"
                elif found.used_at is not None and found.key_id == key_id(raw_key) and found.expires_at > now:
                    return Enrolled(found.station, found.site_id, found.key_id)  # its answer was lost on the way
                elif found.used_at is not None:
                    refused = f"used by key {found.key_id}"
                elif found.expires_at <= now:
                    refused = "too old"
                else:
                    connection.execute(
                        update(enrol_codes)
                        .where(enrol_codes.c.site_id == found.site_id, enrol_codes.c.code_hash == digest)
                        .values(used_at=now, key_id=key_id(raw_key))
                    )
                    return self._let_in(connection, found.site_id, found.station, raw_key, now)
            connection.execute(
                enrol_refusals.insert(),
                {"site_id": _HOME_SITE, "refusal_id": uuid7(), "source": source[:64], "at": now},
            )
        logger.info("an enrolment was refused: %s", refused, extra={"source": source})
        raise ApiError(
            403, "bad_code", "this code is not good (wrong, used already, or too old)",
            f"ask IT for a new one; a code is good for {CODE_MINUTES} minutes and once",
        )  # fmt: skip

    def _check_rate(self, connection: Connection, source: str, now: datetime) -> None:
        connection.execute(enrol_refusals.delete().where(enrol_refusals.c.at < now - _REFUSALS_WITHIN))
        count = connection.scalar(
            select(func.count())
            .select_from(enrol_refusals)
            .where(enrol_refusals.c.site_id == _HOME_SITE, enrol_refusals.c.source == source[:64])
        )
        if (count or 0) >= _REFUSALS:
            raise ApiError(
                429, "too_many", "too many wrong codes from this address", "wait a quarter of an hour",
                {"Retry-After": str(int(_REFUSALS_WITHIN.total_seconds()))},
            )  # fmt: skip

    def _let_in(self, connection: Connection, site_id: str, station: str, key: bytes, now: datetime) -> Enrolled:
        self._lock(connection, site_id, station)
        known = self.known(connection, site_id, station)
        if known is not None and known.revoked_at is not None:
            raise ApiError(403, DEVICE_REVOKED, f"station {station!r} is revoked", "IT can let it in again first")
        self._set_key(connection, site_id, station, key, now, follows=known.key_id if known else None, endorsement=None)
        connection.execute(
            update(stations).where(stations.c.site_id == site_id, stations.c.station == station).values(enrolled_at=now)
        )
        self._note(connection, site_id, station, "enrolled", "code", f"key {key_id(key)}")
        logger.info("station enrolled", extra={"station": station, "site": site_id, "key": key_id(key)})
        return Enrolled(station, site_id, key_id(key))

    # keys

    def rotate(self, site_id: str, station: str, public_key: str, endorsement: str, possession: str) -> str:
        """Take the next key of a station, signed by the one that counts and by itself; the next one's id.

        A repeat of a rotation that was taken is fine.

        Raises:
            ApiError: 422 the signatures do not fit; 403 not enrolled.
            InvalidInput: not a key, not a signature.
        """
        new = from_base64(public_key, KEY_BYTES)
        with self._database.writing() as connection:
            self._lock(connection, site_id, station)
            known = self.known(connection, site_id, station)
            if known is None or known.public_key is None:
                raise ApiError(
                    403, "not_enrolled", f"station {station!r} is not enrolled", "enrol it with a code of IT"
                )
            if known.public_key == new:
                return key_id(new)
            statement = successor_statement(f"station {station}", known.public_key, new)
            by_old = is_signed(known.public_key, statement, from_base64(endorsement, SIGNATURE_BYTES))
            by_new = is_signed(new, statement, from_base64(possession, SIGNATURE_BYTES))
            if not (by_old and by_new):
                raise ApiError(422, "bad_signature", "the new key is not signed by both keys", "sign it again")
            now = self._clock.now()
            self._set_key(connection, site_id, station, new, now, follows=known.key_id, endorsement=endorsement)
            self._note(connection, site_id, station, "rotated", f"key {known.key_id}", f"key {key_id(new)}")
        logger.info("station has a new key", extra={"station": station, "key": key_id(new)})
        return key_id(new)

    def _set_key(
        self, connection: Connection, site_id: str, station: str, key: bytes, now: datetime, *, follows: str | None,
        endorsement: str | None,
    ) -> None:  # fmt: skip
        connection.execute(
            self._database.insert_new(station_keys),
            {
                "site_id": site_id, "station": station, "key_id": key_id(key), "public_key": to_base64(key),
                "since": now, "follows": follows, "endorsement": endorsement,
            },
        )  # fmt: skip
        connection.execute(
            update(stations)
            .where(stations.c.site_id == site_id, stations.c.station == station)
            .values(key_id=key_id(key))
        )

    @staticmethod
    def _lock(connection: Connection, site_id: str, station: str) -> None:
        """Wait for the pushes of this station that are under way."""
        connection.execute(
            select(stations.c.station)
            .where(stations.c.site_id == site_id, stations.c.station == station)
            .with_for_update()
        )

    def known(self, connection: Connection, site_id: str, station: str, *, lock: bool = False) -> KnownStation | None:
        """What counts for a station now; None = IT does not know it.

        Args:
            lock: (shared) nobody may revoke it or change its key before this transaction ends.
        """
        row = connection.execute(
            _KNOWN_LOCKED if lock else _KNOWN, {"site_id": site_id, "station": station}
        ).one_or_none()
        if row is None:
            return None
        key = from_base64(row.public_key, KEY_BYTES) if row.public_key else None
        return KnownStation(row.key_id, key, row.revoked_at)

    # revocation

    def revoke(self, site_id: str, station: str, by: str, reason: str = "") -> bool:
        """Shut a station out: from the moment this returns nothing of it is taken. False = it was out already.

        Raises:
            ApiError: 404.
        """
        return self._set_revoked(site_id, station, self._clock.now(), "revoked", by, reason)

    def restore(self, site_id: str, station: str, by: str, reason: str = "") -> bool:
        """Let a revoked station in again with the key it has; what it kept comes by itself. False = it was in.

        Raises:
            ApiError: 404.
        """
        return self._set_revoked(site_id, station, None, "restored", by, reason)

    def _set_revoked(self, site_id: str, station: str, at: datetime | None, what: str, by: str, reason: str) -> bool:
        with self._database.writing() as connection:
            self._lock(connection, site_id, station)
            found = self.known(connection, site_id, station)
            if found is None:
                raise ApiError(
                    404, "station", f"no station {station!r} at site {site_id!r}", "see the list of stations"
                )
            if (found.revoked_at is None) == (at is None):
                return False
            connection.execute(
                update(stations)
                .where(stations.c.site_id == site_id, stations.c.station == station)
                .values(revoked_at=at)
            )
            self._note(connection, site_id, station, what, by, reason)
        logger.info("station %s", what, extra={"station": station, "site": site_id, "by": by})
        return True

    def summaries(self, site_id: str) -> list[StationSummary]:
        """All stations of a site, also those that only ever used a shared token."""
        with self._database.reading() as connection:
            held = {
                row.station: row
                for row in connection.execute(
                    select(
                        heads.c.station,
                        func.sum(heads.c.seq).label("entries"),
                        func.max(heads.c.last_seen).label("last_seen"),
                    )
                    .where(heads.c.site_id == site_id)
                    .group_by(heads.c.station)
                )
            }
            known = {
                row.station: row for row in connection.execute(select(stations).where(stations.c.site_id == site_id))
            }
            waiting = {row.station: row for row in backlogs(connection, site_id)}
        return [
            StationSummary(
                station,
                site_id,
                known[station].key_id if station in known else None,
                _maybe_text(known[station].enrolled_at) if station in known else None,
                _maybe_text(known[station].revoked_at) if station in known else None,
                _maybe_text(held[station].last_seen) if station in held else None,
                int(held[station].entries) if station in held else 0,
                *_said(waiting.get(station)),
            )
            for station in sorted(held.keys() | known.keys() | waiting.keys())
        ]

    # the server itself

    def adopt(self, key: SigningKey, endorsement: str | None = None, follows: SigningKey | None = None) -> ServerKey:
        """Make the server's key known, once; what is known of it.

        A key that comes without the old one's signature (its file was lost) is known as just that.
        """
        with self._database.writing() as connection:
            before = connection.execute(
                select(server_keys.c.key_id)
                .where(server_keys.c.site_id == _HOME_SITE, server_keys.c.key_id != key.id)
                .order_by(server_keys.c.since.desc())
                .limit(1)
            ).scalar()
            connection.execute(
                self._database.insert_new(server_keys),
                {
                    "site_id": _HOME_SITE, "key_id": key.id, "public_key": to_base64(key.public),
                    "since": self._clock.now(), "follows": follows.id if follows else before,
                    "endorsement": endorsement,
                },
            )  # fmt: skip
            rows = {
                row.key_id: row
                for row in connection.execute(select(server_keys).where(server_keys.c.site_id == _HOME_SITE))
            }
        mine = rows[key.id]
        earlier = rows.get(mine.follows or "")
        return ServerKey(mine.public_key, earlier.public_key if earlier else None, mine.endorsement)

    def _server_id(self) -> str:
        with self._database.writing() as connection:
            connection.execute(
                self._database.insert_new(server_facts),
                {"site_id": _HOME_SITE, "name": "server_id", "value": secrets.token_hex(8)},
            )
            found: str = connection.execute(
                select(server_facts.c.value).where(
                    server_facts.c.site_id == _HOME_SITE, server_facts.c.name == "server_id"
                )
            ).scalar_one()
        return found

    def _note(self, connection: Connection, site_id: str, station: str, what: str, actor: str, detail: str) -> None:
        connection.execute(
            access_events.insert(),
            {
                "site_id": site_id, "event_id": uuid7(), "at": self._clock.now(), "actor": actor, "what": what,
                "station": station, "detail": detail,
            },
        )  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _said(row: Any | None) -> tuple[int | None, int | None, str | None, str | None]:
    """What a bench said of its backlog."""
    if row is None:
        return None, None, None, None
    return row.entries, row.photos, _maybe_text(row.since), _maybe_text(row.told_at)


def _maybe_text(moment: datetime | None) -> str | None:
    return _text(moment) if moment is not None else None
