"""Check-digit algorithms of the carriers, by the names that ``resources/carriers`` uses.

Each takes the characters that are protected and returns the one check character that belongs to them. The parameters
stand in the carrier's row, so that one algorithm serves several carriers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from station.errors import InvalidInput

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: int(character) if character < "A" else (ord(character) - 3) % 10 for character in _ALPHABET}

Compute: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One algorithm with one carrier's parameters."""

    algorithm: str
    """One of ``mod10``, ``mod7``, ``luhn``, ``s10``, ``weighted``, ``mod37_36``."""
    even: int = 1
    """mod10: weight of the 1st, 3rd, 5th … character counted from the left."""
    odd: int = 1
    """mod10: weight of the 2nd, 4th, 6th … character."""
    from_right: bool = False
    """mod10: count from the right instead."""
    weights: tuple[int, ...] = ()
    """weighted: one weight per character, left to right."""
    modulo: int = 10
    """weighted: the sum modulo this …"""
    then_modulo: int = 10
    """… and the rest modulo this is the check digit."""


def mod10(body: str, even: int, odd: int, from_right: bool) -> str:
    """Alternating weights, up to the next ten. A letter counts (its ASCII code − 3) mod 10, so A = 2.

    Source: UPS, "Tracking number check digit calculation"; UCC/EAN mod 10; Deutsche Post Identcode (weights 4 and 9).

    >>> mod10("999AA1012345678", 1, 2, False), mod10("20129845227", 4, 9, False)
    ('4', '7')
    """
    values = [_VALUES[character] for character in (reversed(body) if from_right else body)]
    return str(-(sum(values[::2]) * even + sum(values[1::2]) * odd) % 10)


def mod7(body: str) -> str:
    """The number modulo 7. Source: DHL Express waybill; IATA air waybill.

    >>> mod7("331881002")
    '5'
    """
    return str(int(body) % 7)


def luhn(body: str) -> str:
    """Mod 10 with doubled digits' cross sums. Source: ISO/IEC 7812-1 annex B.

    >>> luhn("8000328037")
    '9'
    """
    total = 0
    for position, character in enumerate(reversed(body)):
        doubled = int(character) * (1 if position % 2 else 2)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def s10(body: str) -> str:
    """Weights 8 6 4 2 3 5 9 7, 11 − sum mod 11, with 10 → 0 and 11 → 5. Source: UPU standard S10.

    >>> s10("47312482")
    '9'
    """
    total = sum(int(digit) * weight for digit, weight in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    return {10: "0", 11: "5"}.get(11 - total % 11, str(11 - total % 11))


def weighted(body: str, weights: Sequence[int], modulo: int, then_modulo: int) -> str:
    """A weighted sum modulo one number, then another. Source: FedEx Express 12 digits: 3 1 7 …, mod 11, mod 10.

    >>> weighted("98657878885", (3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1), 11, 10)
    '5'
    """
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return str(total % modulo % then_modulo)


def mod37_36(body: str) -> str:
    """ISO/IEC 7064 MOD 37,36: one check character 0–9 A–Z. Source: DPD parcel label specification 2.4.1.

    >>> mod37_36("008182709980000020033350276")
    'C'
    """
    product = 36
    for character in body:
        rest = (product + _ALPHABET.index(character)) % 36 or 36
        product = rest * 2 % 37
    return _ALPHABET[(37 - product) % 36]


_ALGORITHMS: Mapping[str, Callable[[CheckRule], Compute]] = {
    "mod10": lambda rule: lambda body: mod10(body, rule.even, rule.odd, rule.from_right),
    "mod7": lambda rule: mod7,
    "luhn": lambda rule: luhn,
    "s10": lambda rule: s10,
    "weighted": lambda rule: lambda body: weighted(body, rule.weights, rule.modulo, rule.then_modulo),
    "mod37_36": lambda rule: mod37_36,
}


def algorithm(rule: CheckRule) -> Compute:
    """The function that a rule names.

    Raises:
        InvalidInput: nobody knows that name.
    """
    try:
        return _ALGORITHMS[rule.algorithm](rule)
    except KeyError:
        known = ", ".join(sorted(_ALGORITHMS))
        raise InvalidInput(f"unknown check-digit algorithm {rule.algorithm!r}: expected one of {known}") from None
