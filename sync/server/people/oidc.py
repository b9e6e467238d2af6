"""Signing in by the company's own provider: authorization code with PKCE, bound to the browser that began it.

Roles come from the provider's groups at every sign-in, and only what they gave they take away again; so the history of
roles is right whoever keeps them. Somebody new is added by the first sign-in.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from station.clock import Clock
from station.people import Role
from sync.protocol.people import PersonRequest
from sync.server.errors import ApiError
from sync.server.limits import SIGN_IN, Limiter, address_bucket
from sync.server.people.audit import Event, note
from sync.server.people.oidc_provider import Identity, Provider, Refusal
from sync.server.people.register import Register
from sync.server.people.sessions import Session, Sessions
from sync.server.storage import Database
from sync.server.storage.rows_people import oidc_attempts, people, person_roles

BROWSER_COOKIE: Final = "__Host-station-oidc"
_WITHIN: Final = timedelta(minutes=10)
GIVER: Final = "oidc"
"""Who gave the roles that come from groups."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what it brings back."""

    url: str
    browser: str
    """Value of ``BROWSER_COOKIE``."""


class OidcSignIn:
    """Blocks on database and network; call it on a thread."""

    def __init__(
        self, provider: Provider, database: Database, register: Register, sessions: Sessions, limiter: Limiter,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._provider = provider
        self._database = database
        self._register = register
        self._sessions = sessions
        self._limiter = limiter
        self._clock = clock
        self._site = provider.settings.site

    def begin(self, address: str) -> Begun:
        """Begin a sign-in.

        Raises:
            ApiError: 429.
            EnvironmentFault: the provider does not answer.
        """
        at = self._clock.now()
        self._limiter.take("main", f"oidc address {address_bucket(address)}", SIGN_IN, at)
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        url = self._provider.sign_in_url(state=state, nonce=nonce, challenge=challenge)
        row = {
            "site_id": self._site, "state": _digest(state), "browser": _digest(browser), "nonce": nonce,
            "verifier": verifier, "until": at + _WITHIN,
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(delete(oidc_attempts).where(oidc_attempts.c.until < at))
            self._database.insert_all(connection, oidc_attempts, [row])
        return Begun(url, browser)

    def finish(self, state: str, code: str, browser: str, address: str, cookie: str | None) -> Session:
        """End a sign-in: the browser came back.

        Raises:
            ApiError: 401, the same for every reason; the reason is in the log.
            EnvironmentFault: the provider does not answer.
        """
        try:
            identity = self._redeem(state, code, browser)
            person_id = self._settle(identity)
        except Refusal as error:
            note(Event.SIGN_IN_REFUSED, self._site, how="oidc", why=str(error), address=address)
            raise ApiError(
                401, "sign_in", "the company's sign-in does not let you in here", "begin anew, or ask IT"
            ) from error
        with self._database.writing() as connection:
            token = self._sessions.begin(connection, self._site, person_id, "oidc", instead_of=cookie)
        note(Event.SIGNED_IN, self._site, person=person_id, how="oidc", address=address)
        return self._sessions.find(token)

    def _redeem(self, state: str, code: str, browser: str) -> Identity:
        here = (oidc_attempts.c.site_id == self._site, oidc_attempts.c.state == _digest(state))
        with self._database.writing() as connection:
            begun = connection.execute(select(oidc_attempts).where(*here).with_for_update()).one_or_none()
            # used up before it is looked at: a code that comes twice finds nothing
            connection.execute(delete(oidc_attempts).where(*here))
        if begun is None or begun.until < self._clock.now():
            raise Refusal("no sign-in was begun with this state, or too long ago, or it was used already")
        if begun.browser != _digest(browser):
            raise Refusal("another browser began this sign-in")
        return self._provider.redeem(code, begun.verifier, begun.nonce)

    def _settle(self, identity: Identity) -> str:
        """Add who is new, give and end roles by the groups; returns the person's id."""
        mapped = {
            Role(role) for group in identity.groups for role in self._provider.settings.roles.get(group, [])
        }  # fmt: skip
        subject = _subject(self._provider.settings.issuer, identity.subject)
        with self._database.reading() as connection:
            found = connection.execute(
                select(people.c.id, people.c.active).where(people.c.site_id == self._site, people.c.subject == subject)
            ).one_or_none()
            given = (
                set(
                    connection.scalars(
                        select(person_roles.c.role).where(
                            person_roles.c.site_id == self._site, person_roles.c.person_id == found.id,
                            person_roles.c.given_by == GIVER, person_roles.c.until.is_(None),
                        )
                    )
                )
                if found is not None
                else set()
            )  # fmt: skip
        if found is not None and not found.active:
            raise Refusal("disabled here")
        if found is None and not mapped:
            raise Refusal("in none of the groups that may come in")
        if found is None:
            person_id = f"oidc-{subject[:20]}"
            self._register.put(self._site, person_id, PersonRequest(identity.name), by=GIVER, subject=subject)
        else:
            person_id = found.id
        for role in sorted(mapped):
            self._register.give(self._site, person_id, role, by=GIVER)
        for text in sorted(given - {role.value for role in mapped}):
            self._register.end(self._site, person_id, Role(text), by=GIVER)
        if not mapped:
            raise Refusal("in none of the groups that may come in")
        return person_id


def _subject(issuer: str, subject: str) -> str:
    """One person at one provider; a subject alone is unique at its issuer only."""
    return _digest(f"{issuer}\x00{subject}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
