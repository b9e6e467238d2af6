"""Puts the parts together: one object that the service holds."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from station.clock import Clock
from station.people import RFC9106_LOW_MEMORY, Cost
from sync.server.feed import Feed
from sync.server.people.key import PeopleKey, load_people_key
from sync.server.people.oidc import OidcSignIn
from sync.server.people.oidc_provider import SECRET_VARIABLE, OidcSettings, Provider, read_oidc
from sync.server.people.passwords import Hasher
from sync.server.people.register import Register
from sync.server.people.sessions import Sessions
from sync.server.people.sign_in import SignIn
from sync.server.storage import Database


def _key_of_this_process() -> PeopleKey:
    return PeopleKey(secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """What the people of a server are set up with."""

    key: PeopleKey = field(default_factory=_key_of_this_process)
    """``run`` gives the one that is kept; without it badges and PINs are forgotten with the process."""
    cost: Cost = RFC9106_LOW_MEMORY
    oidc: OidcSettings | None = None
    oidc_secret: str | None = field(default=None, repr=False)


def people_settings(database: Database, keys: Path, folder: Path) -> PeopleSettings:
    """What a server that is started uses: the kept key, and ``oidc.toml`` if it is there.

    Args:
        keys: folder of the server's keys.
        folder: the server's own.

    Raises:
        InvalidInput: the key is not this database's, or the configuration cannot be used.
        EnvironmentFault: the key cannot be read.
    """
    key = load_people_key(keys)
    key.check(database)
    return PeopleSettings(key, oidc=read_oidc(folder), oidc_secret=os.environ.get(SECRET_VARIABLE) or None)


class People:
    """Everything about people at one server."""

    def __init__(self, database: Database, feed: Feed, clock: Clock, settings: PeopleSettings) -> None:
        self.hasher = Hasher(settings.cost)
        self.register = Register(database, feed, settings.key, self.hasher, clock, settings.cost)
        self.sessions = Sessions(database, clock)
        self.sign_in = SignIn(database, settings.key, self.hasher, self.sessions, clock)
        self._provider = Provider(settings.oidc, settings.oidc_secret) if settings.oidc is not None else None
        self.oidc: OidcSignIn | None = None
        """None = not configured."""
        if self._provider is not None:
            self.oidc = OidcSignIn(
                self._provider, database, self.register, self.sessions, self.sign_in.limiter, clock
            )  # fmt: skip

    def close(self) -> None:
        self.hasher.close()
        if self._provider is not None:
            self._provider.close()
