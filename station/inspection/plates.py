"""Licence plates (LPN) made at the bench: short enough to read aloud, random enough to need no server."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from station.errors import Defect

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O, U: nothing that is mistaken for another character."""

LENGTH = 10
"""50 random bits: among a hundred million plates the chance that a new one is taken is one in ten million."""


def new_plate(is_used: Callable[[str], bool]) -> str:
    """Make a plate ``LPN`` + 10 characters that this bench has not seen.

    Raises:
        Defect: a hundred tries were all taken, which cannot be chance.
    """
    for _ in range(100):
        plate = "LPN" + "".join(secrets.choice(_CROCKFORD) for _ in range(LENGTH))
        if not is_used(plate):
            return plate
    raise Defect("no free licence plate after 100 tries")
