"""PINs: which are allowed, and the slow hash that stands for one.

Cost: RFC 9106's second recommendation (t = 3, 64 MiB, 4 lanes), not OWASP's minimum (t = 2, 19 MiB, 1 lane). A bench
asks once a shift and on a worker thread: 0.15–0.2 s (the minimum: 31 ms; measured on two shared cores) are not felt,
and whoever has stolen a PC *with* its key store needs 40 hours of a core instead of 8 for all six-digit PINs.
Source: RFC 9106 §4; SYNC.md §5.3.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from argon2.low_level import Type, hash_secret_raw

from station.errors import InvalidInput
from station.people.keys import SiteKey

SHORTEST: Final = 6
LONGEST: Final = 12
_HASH: Final = 32
_SALT: Final = 16
_RUNS: Final = "01234567890123", "98765432109876"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one hash costs.

    Raises:
        InvalidInput: beyond what a bench can be asked to spend.
    """

    passes: int
    memory_kib: int
    lanes: int

    def __post_init__(self) -> None:
        if not (1 <= self.passes <= 16 and 1 <= self.lanes <= 16 and 8 * self.lanes <= self.memory_kib <= 262_144):
            raise InvalidInput(f"Argon2id with {self}: expected at most 16 passes, 16 lanes and 256 MiB")


RFC9106_LOW_MEMORY: Final = Cost(3, 65_536, 4)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A verifier taken apart."""

    cost: Cost
    salt: bytes
    digest: bytes


def check_pin(pin: str) -> str:
    """Take a new PIN, or say why not.

    Raises:
        InvalidInput: too short, not digits, or one of those that everybody tries first. The PIN is not quoted.
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise InvalidInput(f"a PIN is {SHORTEST} to {LONGEST} digits; choose another")
    halves = len(pin) % 2 == 0 and pin[: len(pin) // 2] == pin[len(pin) // 2 :]
    if len(set(pin)) < 3 or halves or any(pin in run for run in _RUNS):
        raise InvalidInput("this PIN is among the first that anybody tries (a run, a repetition); choose another")
    return pin


def make_verifier(site: SiteKey, person_id: str, pin: str, cost: Cost = RFC9106_LOW_MEMORY) -> str:
    """What the centre keeps and sends: ``$argon2id$v=19$m=…,t=…,p=…$salt$hash`` (PHC string).

    Raises:
        InvalidInput: the PIN is not allowed.
    """
    salt = secrets.token_bytes(_SALT)
    digest = hash_pin(site, person_id, check_pin(pin), cost, salt)
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${_pack(salt)}${_pack(digest)}"


def hash_pin(site: SiteKey, person_id: str, pin: str, cost: Cost, salt: bytes) -> bytes:
    """32 bytes of Argon2id. Takes its time; releases the interpreter meanwhile."""
    return hash_secret_raw(
        site.pin(person_id, pin), salt, time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes,
        hash_len=_HASH, type=Type.ID,
    )  # fmt: skip


def read_verifier(text: str) -> Verifier:
    """Take a verifier apart.

    Raises:
        InvalidInput: not one of ours, or dearer than a bench can be asked to spend.
    """
    try:
        empty, kind, version, costs, salt, digest = text.split("$")
        named = dict(part.split("=", 1) for part in costs.split(","))
        if (empty, kind, version) != ("", "argon2id", "v=19") or set(named) != {"m", "t", "p"}:
            raise ValueError(kind)
        cost = Cost(int(named["t"]), int(named["m"]), int(named["p"]))
        found = Verifier(cost, _unpack(salt), _unpack(digest))
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("a PIN's verifier cannot be read: expected $argon2id$v=19$m=…,t=…,p=…$…$…") from error
    if len(found.digest) != _HASH or not 8 <= len(found.salt) <= 64:
        raise InvalidInput("a PIN's verifier has a salt or a hash of a wrong length")
    return found


def _pack(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
