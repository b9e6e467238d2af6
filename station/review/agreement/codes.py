"""A fresh number that looks like the numbers of its kind: the same shape, the same check digit, from the same range."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Final

from station.errors import OperatorError
from station.identify.interpret import interpret

_TRIES: Final = 1_600
"""A check digit lets one try in ten pass, two of them one in a hundred. The first eighth keeps close to the others."""
_LAST_DIGITS: Final = re.compile(r"^(.*?)(\d+)(\D*)$", re.DOTALL)
_ENOUGH: Final = 5
"""Numbers with the same beginning from which on they are taken for a running number."""


class Lot:
    """Draws that nobody foresees without the secret, and that an auditor who is given it can repeat.

    Source: HMAC (RFC 2104) with SHA-256 over a counter, as in the expand step of HKDF (RFC 5869, §2.3).
    """

    def __init__(self, secret: bytes, *what: str) -> None:
        """
        Args:
            secret: the site's; at least 16 bytes, so that it cannot be tried out.
            what: what is drawn; another what gives other draws.
        """
        if len(secret) < 16:
            raise OperatorError("the secret of the draws is too short: expected at least 16 bytes")
        self._key = hmac.new(secret, "\x1f".join(what).encode(), hashlib.sha256).digest()
        self._count = 0

    def number(self) -> int:
        """The next 64 bits."""
        self._count += 1
        return int.from_bytes(hmac.new(self._key, self._count.to_bytes(8), hashlib.sha256).digest()[:8])

    def below(self, end: int) -> int:
        """An even draw from 0 … end − 1."""
        limit = 2**64 - 2**64 % end
        while (drawn := self.number()) >= limit:
            pass
        return drawn % end


def alike(code: str, others: Sequence[str], is_free: Callable[[str], bool], lot: Lot) -> str:
    """A number of the same kind that nobody has.

    Running numbers (the same beginning, then digits) are drawn from the gaps of the range in use, never above it: what
    is above will be given to a customer one day. Everything else takes each place from what stands there in numbers of
    the same shape. Either way the result must mean the same to this program's own reading of codes as the number it
    stands for: kind, carrier and check digit.

    Args:
        code: the number it stands for.
        others: real numbers of the same kind, for their range and their characters.
        is_free: nobody has this number; the others need not be asked about.

    Raises:
        OperatorError: nothing free was found.
    """
    if not any(character.isdigit() for character in code):
        raise OperatorError(f"{code!r} has no digits, so no number like it can be made")
    used = {*others, code}
    meaning = _meaning(code)
    for tried in range(_TRIES):
        fresh = _running(code, others, lot) or _scattered(code, others if tried < _TRIES // 8 else (), lot)
        if fresh not in used and is_free(fresh) and _meaning(fresh) == meaning:
            return fresh
    raise OperatorError(f"no free number like {code!r} was found: import more returns before planting again")


def _meaning(code: str) -> list[tuple[str, str | None, str]]:
    """How this program reads a number, apart from its digits."""
    return sorted((found.kind.value, found.carrier, found.check.value) for found in interpret(code.encode()))


def _running(code: str, others: Sequence[str], lot: Lot) -> str | None:
    """A number from the range in use; None = it is no running number."""
    parts = _LAST_DIGITS.match(code)
    if parts is None or len(parts[2]) > 9:
        return None
    begin, digits, end = parts.groups()
    numbers = [int(digits)]
    for other in others:
        same = _LAST_DIGITS.match(other)
        if same is not None and (same[1], len(same[2]), same[3]) == (begin, len(digits), end):
            numbers.append(int(same[2]))
    if len(numbers) < _ENOUGH:
        return None
    low, high = min(numbers), max(numbers)
    return f"{begin}{low + lot.below(high - low + 1):0{len(digits)}d}{end}"


def _scattered(code: str, others: Sequence[str], lot: Lot) -> str:
    """Each place from what stands there in numbers of the same length, or a digit for a digit."""
    same = [code, *(other for other in others if len(other) == len(code))]
    if len(same) < _ENOUGH:
        last = len(code) - 6
        return "".join(
            str(lot.below(10)) if character.isdigit() and place >= last else character
            for place, character in enumerate(code)
        )
    return "".join(same[lot.below(len(same))][place] for place in range(len(code)))
