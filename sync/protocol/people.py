"""People and their sessions, as the server's API speaks of them. What benches are told: ``station.people.Person``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec

from station.people.person import Id

SESSION_COOKIE: Final = "__Host-station-session"
"""The prefix makes browsers keep it to this host, this scheme and every path."""
CSRF_HEADER: Final = "X-CSRF-Token"

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern="^[^\\x00-\\x1f\\x7f]+$")]
Login = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._@-]{1,63}$")]
Typed = Annotated[str, msgspec.Meta(max_length=256)]


class SignInRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /v1/session``."""

    login: Typed
    password: Typed
    site: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}$")] = "main"


class SessionAnswer(msgspec.Struct, frozen=True):
    """Who is signed in. The session itself is in the cookie."""

    person: str
    name: str
    site: str
    roles: list[str]
    csrf: str
    """Goes back in the header ``X-CSRF-Token`` of everything that is not GET or HEAD."""
    ends_at: datetime
    """At the latest; without a request it ends earlier (``idle_s``)."""
    idle_s: int


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``PUT /v1/session/password``: one's own."""

    old: Typed
    new: Typed


class PersonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``PUT /v1/people/{id}``. Roles, badge, PIN and password have addresses of their own."""

    name: Line
    login: Login | None = None
    """For signing in at the server; absent = at benches only."""
    merchant: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    """Sees the goods of this merchant only."""


class PinRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pin: Typed


class PasswordRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: Typed


class HeldRole(msgspec.Struct, frozen=True, omit_defaults=True):
    """A role with its history; ``until`` absent = it holds."""

    role: str
    since: datetime
    given_by: str
    until: datetime | None = None
    ended_by: str | None = None


class PersonAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person. No badge, PIN or password ever leaves again."""

    id: Id
    name: str
    active: bool
    roles: list[HeldRole]
    login: str | None = None
    merchant: str | None = None
    has_badge: bool = False
    has_pin: bool = False
    has_password: bool = False


class PeopleAnswer(msgspec.Struct, frozen=True):
    people: list[PersonAnswer]


class BadgeAnswer(msgspec.Struct, frozen=True):
    """Shown once; print it now."""

    badge: str


class SiteKeyAnswer(msgspec.Struct, frozen=True):
    """``GET /v1/site-key``, for benches: what they need to know badges and PINs. Kept in the bench's key store."""

    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class AuthorityFlag(msgspec.Struct, frozen=True):
    """A record whose actor might not do that then. It counts like any other; a lead looks at it."""

    entry_id: str
    station: str
    generation: int
    seq: int
    actor: str
    act: str
    """What it asked for: ``inspect``, ``void_own``, ``void_any``, ``override``, ``decide_held``."""
    code: str
    """``unknown_actor``, ``disabled`` or ``no_role``."""
    at: datetime
    """When it was done, as far as the bench's clock can be believed."""


class AuthorityFlags(msgspec.Struct, frozen=True):
    """The newest record first."""

    flags: list[AuthorityFlag]
    after: str | None
    """For the next page; null = that was all."""
