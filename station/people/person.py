"""A person as the centre tells the benches, and which roles held when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from station.errors import InvalidInput


class Role(StrEnum):
    """What somebody is here for. Several may be held at once."""

    INSPECTOR = "inspector"
    LEAD = "lead"
    ADMIN = "admin"
    """IT: people, benches, settings. Not a lead: it decides about no unit."""
    AUDITOR = "auditor"
    """Reads everything, changes nothing."""
    SERVICE = "service"
    """Another program."""


Id = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class RoleSpan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A role from a moment on, to another one or until further notice. ``since`` ≤ t < ``until``."""

    role: str
    """A :class:`Role`; one that this version does not know gives no right."""
    since: Moment
    until: Moment | None = None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of an item of the feed's topic ``people``; its key is the id. Only people of the bench's own site."""

    id: Id
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    active: bool
    roles: Annotated[list[RoleSpan], msgspec.Meta(max_length=500)]
    badge: Hex | None = None
    """``SiteKey.badge`` of the code."""
    pin: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    """Verifier, a PHC string of Argon2id (``pins.make_verifier``)."""


def roles_at(spans: Iterable[RoleSpan], at: datetime) -> frozenset[Role]:
    """The roles that held at a moment."""
    known = set(Role)
    return frozenset(Role(span.role) for span in spans if span.role in known and span.holds(at))


def read_person(body: bytes | str) -> Person:
    """Read an item's body.

    Raises:
        InvalidInput: not a person. The body is not quoted.
    """
    try:
        return msgspec.json.decode(body, type=Person)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"a person of the feed cannot be read: {error}") from error
