"""How often somebody may ask: token buckets that a restart does not refill, shared by all workers.

Only what is let through is written; who is refused is remembered in this process until the next token, so that a flood
costs no database. IPv6 neighbours share a bucket: whoever has one address has 2⁶⁴.
Source: OWASP ASVS 5.0, 2.4.1, 6.3.1; the figures are Vaultwarden's defaults (SYNC.md §5.6).
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from sync.server.errors import ApiError
from sync.server.storage import Database
from sync.server.storage.rows_people import buckets

_REMEMBERED: Final = 10_000
_CLEAR_EVERY: Final = 1_000
_FORGOTTEN_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, refilled evenly over a time."""

    burst: int
    per: timedelta

    @property
    def one(self) -> timedelta:
        """Until the next token."""
        return self.per / self.burst


SIGN_IN: Final = Rate(10, timedelta(seconds=60))
"""Per account and per address."""


class Limiter:
    """The buckets of one server."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refused: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._taken = 0

    def take(self, site_id: str, name: str, rate: Rate, now: datetime) -> None:
        """Take one token. Blocks on the database; call it on a thread.

        Raises:
            ApiError: 429 with how long to wait.
        """
        key = (site_id, name)
        until = self._refused.get(key)
        if until is not None and now < until <= now + rate.one:
            raise _too_often(until - now)
        wait = self._take(site_id, name, rate, now)
        if wait is None:
            self._refused.pop(key, None)
            return
        self._refused[key] = now + wait
        while len(self._refused) > _REMEMBERED:
            self._refused.popitem(last=False)
        raise _too_often(wait)

    def _take(self, site_id: str, name: str, rate: Rate, now: datetime) -> timedelta | None:
        full = rate.burst * 1000
        here = (buckets.c.site_id == site_id, buckets.c.name == name)
        with self._database.writing() as connection:
            self._taken += 1
            if self._taken % _CLEAR_EVERY == 0:
                connection.execute(delete(buckets).where(buckets.c.at < now - _FORGOTTEN_AFTER))
            row = {"site_id": site_id, "name": name, "milli": full, "at": now}
            self._database.insert_all(connection, buckets, [row])
            found = connection.execute(select(buckets.c.milli, buckets.c.at).where(*here).with_for_update()).one()
            # a clock that went back refills nothing
            gained = math.floor(max(timedelta(0), now - found.at) / rate.one * 1000)
            left = min(full, found.milli + gained)
            if left < 1000:
                wait: timedelta = rate.one * ((1000 - left) / 1000)
                return wait
            connection.execute(update(buckets).where(*here).values(milli=left - 1000, at=now))
        return None


def address_bucket(address: str) -> str:
    """The name under which an address is counted.

    >>> address_bucket("192.0.2.7"), address_bucket("2001:db8::1:2"), address_bucket("?")
    ('192.0.2.7', '2001:db8::/64', 'unknown')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))
    return str(found)


def _too_often(wait: timedelta) -> ApiError:
    seconds = max(1, math.ceil(wait.total_seconds()))
    return ApiError(
        429, "too_often", "too many tries", f"wait {seconds} s and try again", {"Retry-After": str(seconds)}
    )
