"""One-time enrolment codes: made, read as a person or a scanner gives them, and hashed. Pure but for the dice."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from station.errors import InvalidInput

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
_CHARACTERS: Final = 16
_GROUP: Final = 4
_PREFIX: Final = "JOIN-"
"""So that a scanner's text cannot be taken for a product or a parcel."""
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_DOMAIN: Final = b"returns-station enrolment code v1\x00"


def make_code() -> str:
    """Throw a code of 80 bits, e.g. ``JOIN-7K2M-X94D-0RTP-6W3E``: text and Code 128 content in one."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))
    return _PREFIX + "-".join(letters[at : at + _GROUP] for at in range(0, _CHARACTERS, _GROUP))


def read_code(text: str) -> str:
    """The code's letters, however it was typed.

    Raises:
        InvalidInput: it cannot be a code.

    >>> read_code(" join-7k2m-x94d-0rtp-6w3e ")
    '7K2MX94D0RTP6W3E'
    >>> read_code("7k2m x94d ORTP 6w3e")
    '7K2MX94D0RTP6W3E'
    """
    letters = text.strip().upper().removeprefix(_PREFIX).translate(_READ_AS)
    if len(letters) != _CHARACTERS or not set(letters) <= set(_ALPHABET):
        raise InvalidInput(
            f"this is not an enrolment code: expected {_CHARACTERS} letters and digits as IT shows them, "
            f"e.g. {_PREFIX}7K2M-X94D-0RTP-6W3E"
        )  # what was given is not quoted: with one wrong letter it is nearly a secret
    return letters


def code_hash(letters: str) -> str:
    """What is kept of a code. 80 random bits cannot be searched, so a plain hash will do."""
    return hashlib.sha256(_DOMAIN + letters.encode()).hexdigest()
