"""A site's own codes, as data: what its RMA numbers, licence plates and badges look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from station.errors import InvalidInput
from station.identify.scan import CandidateKind

MAX_LENGTH = 64
"""Characters; our own codes are shorter, and a site's pattern never sees more."""


@dataclass(frozen=True, slots=True)
class CodeProfile:
    """Regular expressions that must match the whole code; upper and lower case are the same.

    Raises:
        InvalidInput: a pattern is not a regular expression.
    """

    rma: tuple[str, ...] = (
        r"RMA-?[0-9A-Z][0-9A-Z-]{1,39}",
        # Amazon's order id: imported Amazon returns carry it as their RMA.
        r"\d{3}-\d{7}-\d{7}",
    )
    lpn: tuple[str, ...] = (
        # Ours (``LPN-…``) and Amazon's (``LPN`` and a site's letters and digits, e.g. ``LPNHE623894851``).
        r"LPN-?[0-9A-Z][0-9A-Z-]{3,39}",
    )
    badge: tuple[str, ...] = (r"BDG-[0-9A-Z-]{1,32}",)
    commands: frozenset[str] = frozenset()
    """Command codes beside the table's own: the answers that the protocols of this site give by scan."""

    def __post_init__(self) -> None:
        for pattern in (*self.rma, *self.lpn, *self.badge):
            try:
                re.compile(pattern)
            except re.error as error:
                raise InvalidInput(f"code pattern {pattern!r} is not a regular expression: {error}") from error


DEFAULT = CodeProfile()

_REASONS = {
    CandidateKind.RMA: "this site's RMA codes look like this",
    CandidateKind.LPN: "licence plates look like this",
    CandidateKind.BADGE: "badges look like this",
}


@lru_cache(maxsize=16)
def _compiled(profile: CodeProfile) -> tuple[tuple[CandidateKind, re.Pattern[str]], ...]:
    groups = ((CandidateKind.RMA, profile.rma), (CandidateKind.LPN, profile.lpn), (CandidateKind.BADGE, profile.badge))
    return tuple((kind, re.compile(one, re.IGNORECASE | re.ASCII)) for kind, patterns in groups for one in patterns)


def own_codes(text: str, profile: CodeProfile) -> tuple[tuple[CandidateKind, str, str], ...]:
    """What the site's own patterns say: (kind, key in upper case, reason), each kind at most once.

    >>> own_codes("rma-2026-004711", DEFAULT)[0][:2]
    (<CandidateKind.RMA: 'rma'>, 'RMA-2026-004711')
    """
    if len(text) > MAX_LENGTH:
        return ()
    found: dict[CandidateKind, tuple[CandidateKind, str, str]] = {}
    for kind, pattern in _compiled(profile):
        if kind not in found and pattern.fullmatch(text):
            found[kind] = (kind, own_key(text), _REASONS[kind])
    return tuple(found.values())


def own_key(text: str) -> str:
    """How RMA codes, licence plates and badges are kept and looked up: trimmed, upper case."""
    return text.strip().upper()
