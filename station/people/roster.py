"""The people of this bench's site, and whether the one who stands here is who the badge says."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from station.errors import InvalidInput
from station.people.badges import parse_badge
from station.people.keys import BenchKeys
from station.people.lockout import Lockouts, LockState, Moment, as_of, one_more
from station.people.person import Role, roles_at
from station.people.pins import hash_pin
from station.people.sealing import SealedPerson, SealedPin, seal_badge

VERIFIER_AGE: Final = timedelta(days=14)
"""Without news from the centre for so long, a sign-in still records but proves nothing."""
_CLOCK_SLACK: Final = timedelta(minutes=5)


class Proof(StrEnum):
    """How somebody showed who they are."""

    BADGE = "badge"
    """Identification only: a badge can be found or copied."""
    BADGE_AND_PIN = "badge_and_pin"


class Reason(StrEnum):
    """Why a sign-in was refused."""

    NOT_A_BADGE = "not_a_badge"
    UNKNOWN_BADGE = "unknown_badge"
    DISABLED = "disabled"
    NO_ROLE = "no_role"
    NO_PIN_SET = "no_pin_set"
    WRONG_PIN = "wrong_pin"
    LOCKED = "locked"
    NOT_READY = "not_ready"
    """This bench was never told who works here, or its keys are gone."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who works here now."""

    person_id: str
    name: str
    roles: frozenset[Role]
    proof: Proof
    verified: bool
    """False = the roster is too old to be believed (or the clock went back behind it): record, and mark it so."""

    @property
    def proven(self) -> bool:
        """Whether acts that need a PIN may go on."""
        return self.proof is Proof.BADGE_AND_PIN and self.verified


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody was signed in."""

    reason: Reason
    wait_s: float = 0.0
    """How long until the next try is looked at."""

    @property
    def text(self) -> str:
        """What to say and what to do, one sentence or two; blames nobody."""
        wait = _wait_words(self.wait_s) if self.wait_s > 0.0 else ""
        if self.reason is Reason.WRONG_PIN:
            return f"That was not the right PIN. {f'Try again in {wait}.' if wait else 'Try again.'}"
        return _TEXTS[self.reason].format(wait=wait)


_TEXTS: Final = {
    Reason.NOT_A_BADGE: "This is not a badge. Scan your badge.",
    Reason.UNKNOWN_BADGE: "This badge is not known here. Ask your shift lead for a new one.",
    Reason.DISABLED: "This badge was switched off. Ask your shift lead.",
    Reason.NO_ROLE: "This badge has no role here today. Ask your shift lead.",
    Reason.NO_PIN_SET: "There is no PIN for this badge yet. Ask IT to set one.",
    Reason.LOCKED: "Too many tries. Wait {wait}, or ask your shift lead to end the wait.",
    Reason.NOT_READY: "This bench does not know its people yet. It needs the network once; then try again.",
}


def _wait_words(seconds: float) -> str:
    """Never less than the wait.

    >>> [_wait_words(s) for s in (0.2, 29.1, 60.0, 61.0, 900.0)]
    ['1 second', '30 seconds', '1 minute', '2 minutes', '15 minutes']
    """
    count, unit = (ceil(seconds), "second") if seconds < 60.0 else (ceil(seconds / 60.0), "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"


class Roster:
    """Verifies badge and PIN offline. Calls must not overlap: two tries at once could count as one."""

    def __init__(
        self, people: Iterable[SealedPerson], keys: BenchKeys, lockouts: Lockouts, synced_at: datetime | None
    ) -> None:
        """
        Args:
            people: of this site, sealed with these keys.
            synced_at: when the centre last confirmed that this is all of them, UTC; None = never.
        """
        self._by_badge = {person.badge: person for person in people if person.badge is not None}
        self._keys = keys
        self._lockouts = lockouts
        self._synced_at = synced_at

    def sign_in(self, badge: str, pin: str | None, now: Moment) -> SignedIn | Refused:
        """Say who this is.

        Args:
            badge: what was scanned.
            pin: None = the badge alone, which names somebody and proves nothing.
        """
        try:
            code = parse_badge(badge)
        except InvalidInput:
            return Refused(Reason.NOT_A_BADGE)
        person = self._by_badge.get(seal_badge(self._keys.site.badge(code), self._keys))
        if person is None:
            return Refused(Reason.UNKNOWN_BADGE)
        if not person.active:
            return Refused(Reason.DISABLED)
        roles = roles_at(person.roles, now.utc)
        if not roles:
            return Refused(Reason.NO_ROLE)
        if pin is not None:
            refused = self._check(person, pin, now)
            if refused is not None:
                return refused
        proof = Proof.BADGE if pin is None else Proof.BADGE_AND_PIN
        return SignedIn(person.id, person.name, roles, proof, self._is_fresh(now.utc))

    def unlock(self, person_id: str) -> None:
        """Forget wrong tries; the caller has checked that somebody may (``Act.UNLOCK``)."""
        self._lockouts.keep(person_id, LockState())

    def _check(self, person: SealedPerson, pin: str, now: Moment) -> Refused | None:
        if person.pin is None:
            return Refused(Reason.NO_PIN_SET)
        kept = self._lockouts.state(person.id)
        state = as_of(kept, now)
        if state.owed_s > 0.0:
            if state.boot != kept.boot:
                self._lockouts.keep(person.id, state)  # counts from this boot on
            return Refused(Reason.LOCKED, state.owed_s)
        # Counted before it is looked at: pulling the plug during the check does not give the try back.
        counted = one_more(state, now)
        self._lockouts.keep(person.id, counted)
        if not self._is_right(person, person.pin, pin):
            return Refused(Reason.WRONG_PIN, counted.owed_s)
        self._lockouts.keep(person.id, LockState())
        return None

    def _is_right(self, person: SealedPerson, sealed: SealedPin, pin: str) -> bool:
        if len(pin) > 64 or not pin.isascii():
            return False
        digest = hash_pin(self._keys.site, person.id, pin, sealed.cost, bytes.fromhex(sealed.salt))
        return hmac.compare_digest(self._keys.seal(b"pin", digest), sealed.mac)

    def _is_fresh(self, now: datetime) -> bool:
        if self._synced_at is None:
            return False
        return -_CLOCK_SLACK <= now - self._synced_at <= VERIFIER_AGE
