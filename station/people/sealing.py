"""What a bench keeps of a person: the feed's item with badge and PIN under the bench's own pepper."""

from __future__ import annotations

from typing import Annotated

import msgspec

from station.canonical import canonical_json
from station.errors import InvalidInput
from station.people.keys import BenchKeys
from station.people.person import Hex, Id, Person, RoleSpan, read_person
from station.people.pins import Cost, Verifier, read_verifier


class SealedPin(msgspec.Struct, frozen=True):
    """How to compute the hash again, and what its seal must be."""

    salt: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2}){8,64}$")]
    passes: int
    memory_kib: int
    lanes: int
    mac: Hex
    """``BenchKeys.seal`` of the 32 bytes of Argon2id."""

    @property
    def cost(self) -> Cost:
        return Cost(self.passes, self.memory_kib, self.lanes)


class SealedPerson(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person in the bench's database. Without the bench's keys it says a name and roles, nothing more."""

    id: Id
    name: str
    active: bool
    roles: list[RoleSpan]
    badge: Hex | None = None
    """``BenchKeys.seal`` of the centre's HMAC."""
    pin: SealedPin | None = None


def seal(body: bytes | str, keys: BenchKeys) -> bytes:
    """Turn an item of the feed's topic ``people`` into what may be stored at the bench. Quick.

    Raises:
        InvalidInput: the item is not a person.
    """
    return canonical_json(seal_person(read_person(body), keys))


def seal_person(person: Person, keys: BenchKeys) -> SealedPerson:
    """As :func:`seal`, of values.

    Raises:
        InvalidInput: the verifier cannot be used.
    """
    badge = seal_badge(person.badge, keys) if person.badge is not None else None
    pin = _seal_pin(read_verifier(person.pin), keys) if person.pin is not None else None
    return SealedPerson(person.id, person.name, person.active, list(person.roles), badge, pin)


def seal_badge(badge: str, keys: BenchKeys) -> str:
    """The seal of a badge's HMAC."""
    return keys.seal(b"badge", bytes.fromhex(badge))


def _seal_pin(verifier: Verifier, keys: BenchKeys) -> SealedPin:
    cost = verifier.cost
    mac = keys.seal(b"pin", verifier.digest)
    return SealedPin(verifier.salt.hex(), cost.passes, cost.memory_kib, cost.lanes, mac)


def open_sealed(body: bytes | str) -> SealedPerson:
    """Read what :func:`seal` made.

    Raises:
        InvalidInput: something else, or damaged.
    """
    try:
        return msgspec.json.decode(body, type=SealedPerson)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidInput(f"a stored person cannot be read: {error}; fetch the people again") from error
