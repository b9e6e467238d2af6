"""GS1 data → application identifiers and values, through biip and behind a gate.

biip 5.2 does three things that would put a wrong value into the record, each held off here and by a test: it reads
digits that are no GS1 data as GS1 data (hence the gate), it raises on symbols it does not know (we never hand it an AIM
identifier), and from ``(21)AB(C)`` it takes ``AB`` and forgets the rest (hence the round trip).
biip is imported on first use: most scans are not GS1, and the import costs some 40 ms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from station.identify.text import GS, GS1_AIMS

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementStrings

MAX_LENGTH = 2048
"""Characters; the largest GS1 symbols hold far fewer."""

_URL = re.compile(r"https?://", re.IGNORECASE)
_HRI = re.compile(r"\(\d{2,4}\)")


@dataclass(frozen=True, slots=True)
class Gs1Data:
    """Element strings in the order read."""

    elements: tuple[tuple[str, str], ...]
    form: str
    """How they came: ``GS1 element strings``, ``GS1 text in parentheses`` or ``GS1 Digital Link``."""

    def hri(self) -> str:
        """The human readable interpretation, e.g. ``(01)04006381333931(21)HD7``."""
        return "".join(f"({ai}){value}" for ai, value in self.elements)


def looks_like_gs1(text: str, aim: str | None) -> bool:
    """The gate of DEVICES §2.6: the symbol or the data itself must say that this is GS1 data."""
    if aim in GS1_AIMS:
        return True
    if aim is not None and aim.startswith("]E"):
        return False
    return text.startswith(GS) or bool(_HRI.match(text)) or bool(_URL.match(text))


def read_gs1(text: str, aim: str | None) -> Gs1Data | None:
    """Read element strings, parenthesised text or a Digital Link.

    Returns:
        None where the gate is shut, or where the data is not completely valid GS1 data: never half of it. Check digits
        are not judged here.

    Source: GS1 General Specifications §7.8 (FNC1 and its GS), GS1 Digital Link URI syntax 1.4.
    """
    if len(text) > MAX_LENGTH or not text.isascii() or not looks_like_gs1(text, aim):
        return None
    body = text.strip(" \t\r\n")
    if _URL.match(body):
        return _digital_link(body)
    if _HRI.match(body):
        return _parenthesised(body)
    return _element_strings(body.strip(GS))


def _element_strings(body: str) -> Gs1Data | None:
    # Anything but GS that is not printable would end a variable-length value early in biip's patterns.
    if not body or not body.replace(GS, "").isprintable():
        return None
    from biip import ParseConfig, ParseError
    from biip.gs1_messages import GS1Message

    try:
        message = GS1Message.parse(body, config=ParseConfig(gs1_element_strings_verify_date=False))
    except (ParseError, ValueError, ArithmeticError, LookupError):
        return None
    return _data(message.element_strings, "GS1 element strings")


def _parenthesised(body: str) -> Gs1Data | None:
    from biip import ParseConfig, ParseError
    from biip.gs1_messages import GS1Message

    try:
        message = GS1Message.parse_hri(body, config=ParseConfig(gs1_element_strings_verify_date=False))
    except (ParseError, ValueError, ArithmeticError, LookupError):
        return None
    data = _data(message.element_strings, "GS1 text in parentheses")
    return data if data is not None and data.hri() == "".join(body.split()) else None


def _digital_link(body: str) -> Gs1Data | None:
    from biip import ParseConfig, ParseError
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI

    try:
        link = GS1DigitalLinkURI.parse(body, config=ParseConfig(gs1_element_strings_verify_date=False))
    except (ParseError, ValueError, ArithmeticError, LookupError):
        return None
    return _data(link.element_strings, "GS1 Digital Link")


def _data(strings: GS1ElementStrings, form: str) -> Gs1Data | None:
    elements = tuple((one.ai.ai, one.value) for one in strings)
    return Gs1Data(elements, form) if elements else None
