"""The keys without which nobody is known at this bench, and who signs in with badge and PIN.

The site's key comes from the server (``GET /v1/site-key``: after the start, and when the server became another one),
the pepper is made here; both lie in the vault, never in the database. What the feed tells of people is sealed with
both before it is stored (``station.people.sealing``). Which pair it was sealed with is kept beside it as a mark: when
the pair is another one (another server, a vault that was lost, a database that came from another PC), everything about
people is fetched anew. Until then nobody can sign in, which is the safe side.

Price: count and checksum of the topic are those of what the centre wrote, so a digest of each item is in the database:
who copies it *and* knows the site's key can try PINs on it. The site's key is what keeps that shut.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from threading import Lock
from typing import Final, Protocol

from station.clock import Clock
from station.errors import InvalidInput
from station.people import (
    Act,
    BenchKeys,
    Lockouts,
    Moment,
    Reason,
    Refused,
    Roster,
    SealedPerson,
    SignedIn,
    SiteKey,
    boot_id,
    open_sealed,
    permit,
    seal,
)
from station.store.feed import FeedMark, FeedRecord
from sync.client.vault import Vault
from sync.protocol import Topic

logger = logging.getLogger(__name__)

SITE_KEY: Final = "site-key"
PEPPER: Final = "pepper"
"""Names in the vault."""
SEALED_WITH: Final = "people_sealed_with"
"""Key of the sync value: the mark of the keys of what is stored, or being fetched."""
_UNREADABLE: Final = "null"
"""Stands for a person of a newer centre: counted, and never let in."""


class PeopleStore(Protocol):
    """The store as people see it. Implemented by ``station.store.Store``; safe from any thread."""

    @property
    def lockouts(self) -> Lockouts: ...

    def feed_mark(self, topic: str) -> FeedMark: ...

    def feed_items(self, topic: str) -> tuple[FeedRecord, ...]: ...

    def refetch_feed(self, topic: str) -> None: ...

    def sync_value(self, key: str) -> str | None: ...

    def set_sync_value(self, key: str, value: str) -> None: ...


class PeopleKeys:
    """The bench's two keys; asked by the sync thread and by the sign-in. Thread-safe."""

    def __init__(self, store: PeopleStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._lock = Lock()
        self._keys: BenchKeys | None = None
        self._sure = False

    @property
    def are_sure(self) -> bool:
        """The server said its site's key since the start, and everything stored is sealed with it or on the way."""
        return self._sure

    def doubt(self) -> None:
        """The server may be another one: it is asked for its key again."""
        self._sure = False

    def keys(self) -> BenchKeys | None:
        """What people are known by, also offline; None = this bench was never given a key.

        Raises:
            StoreFault: the vault cannot be read.
        """
        with self._lock:
            if self._keys is None:
                self._keys = self._from_vault()
            return self._keys

    def meet(self, site_key: str) -> None:
        """Take the site's key from the server.

        Raises:
            InvalidInput: not 32 bytes in hex. Nothing of it is quoted.
            StoreFault: it cannot be kept; it is asked for again.
        """
        try:
            site = SiteKey(bytes.fromhex(site_key))
        except ValueError as error:
            raise InvalidInput("the server's key for people is not hexadecimal") from error
        with self._lock:
            keys = BenchKeys(site, self._pepper())
            if _of_hex(self._vault, SITE_KEY) != site.key:
                self._vault.keep(SITE_KEY, site.key.hex())
            if self._store.sync_value(SEALED_WITH) != keys.mark:
                logger.info("people are fetched anew: their keys are new")
                self._store.refetch_feed(Topic.PEOPLE.value)
                self._store.set_sync_value(SEALED_WITH, keys.mark)
            self._keys = keys
            self._sure = True

    def seal(self, body: str) -> str:
        """What is stored of a person; of one that this program cannot read, only that there is one."""
        keys = self.keys()
        if keys is None:
            raise AssertionError("people are asked for only when their keys are here")
        try:
            return seal(body, keys).decode()
        except InvalidInput as error:
            logger.warning("somebody cannot sign in here: %s", error)
            return _UNREADABLE

    def _pepper(self) -> bytes:
        kept = _of_hex(self._vault, PEPPER)
        if kept is None:
            kept = secrets.token_bytes(32)
            self._vault.keep(PEPPER, kept.hex())
        return kept

    def _from_vault(self) -> BenchKeys | None:
        site, pepper = _of_hex(self._vault, SITE_KEY), _of_hex(self._vault, PEPPER)
        return BenchKeys(SiteKey(site), pepper) if site is not None and pepper is not None else None


class SignIn:
    """Says who stands at the bench. Thread-safe; a try takes 0.15 s and more, so not on the GUI thread."""

    def __init__(self, store: PeopleStore, keys: PeopleKeys, clock: Clock, boot: Callable[[], str] = boot_id) -> None:
        """
        Args:
            boot: names this start of the machine; tests start it anew.
        """
        self._store = store
        self._keys = keys
        self._clock = clock
        self._boot = boot
        self._lock = Lock()

    def sign_in(self, badge: str, pin: str | None = None) -> SignedIn | Refused:
        """Badge and PIN → who that is, or why nobody is let in; also without a network.

        Args:
            badge: what was scanned.
            pin: None = the badge alone, which names somebody and proves nothing.

        Raises:
            StoreFault: the try cannot be counted or the people not read; then nobody is let in.
        """
        with self._lock:  # two tries at once must count as two
            roster = self._roster()
            if roster is None:
                return Refused(Reason.NOT_READY)
            found = roster.sign_in(badge, pin, self._now())
        if isinstance(found, Refused):
            logger.info("sign-in refused: %s", found.reason)
        else:
            logger.info("signed in: %s (%s)", found.person_id, found.proof)
        return found

    def unlock(self, person_id: str, by: SignedIn) -> None:
        """End somebody's wait after wrong PINs.

        Raises:
            OperatorError: ``by`` may not, or did not prove who they are.
            StoreFault: it was not kept.
        """
        permit(Act.UNLOCK, by.roles, person_id=by.person_id, proven=by.proven)
        with self._lock:
            roster = self._roster()
            if roster is not None:
                roster.unlock(person_id)
                logger.info("the wait of %s was ended by %s", person_id, by.person_id)

    def _roster(self) -> Roster | None:
        keys = self._keys.keys()
        mark = self._store.feed_mark(Topic.PEOPLE.value)
        if keys is None or mark.complete_at is None or self._store.sync_value(SEALED_WITH) != keys.mark:
            return None
        people = [person for person in map(_opened, self._store.feed_items(Topic.PEOPLE.value)) if person is not None]
        return Roster(people, keys, self._store.lockouts, mark.complete_at)

    def _now(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic(), self._boot())


def _opened(record: FeedRecord) -> SealedPerson | None:
    try:
        person = open_sealed(record.body)
    except InvalidInput:
        return None  # said when it came
    return person if person.id == record.key else None


def _of_hex(vault: Vault, name: str) -> bytes | None:
    """32 bytes of the vault; None = not there, or damaged: then they are made or fetched anew."""
    found = vault.read(name)
    try:
        kept = bytes.fromhex(found[0]) if found is not None else b""
    except ValueError:
        kept = b""
    return kept if len(kept) == 32 else None
