"""What the codes in a photo say about the unit on the bench."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from station.identify.label_fields import label_fields


@dataclass(frozen=True, slots=True)
class SeenCode:
    """One code that was read in a picture."""

    text: str
    aim: str | None


def serial_in_photo(codes: Sequence[SeenCode], shipped: str | None, gtins: Collection[str]) -> str | None:
    """The serial number that a photo proves.

    Args:
        codes: everything that was read in it.
        shipped: serial number of the order; None = not known.
        gtins: of the article, 14 digits each.

    Returns:
        The shipped one if a code says exactly that, else one that stands beside this article's GTIN on a GS1 label;
        None if there is neither, or if two labels disagree.

    >>> serial_in_photo([SeenCode("hd7-22941", "]C0")], "HD7-22941", ())
    'HD7-22941'
    >>> serial_in_photo([SeenCode("SOMETHING-ELSE", "]C0")], "HD7-22941", ()) is None
    True
    """
    wanted = shipped.strip().casefold() if shipped is not None else None
    if shipped is not None and any(code.text.strip().casefold() == wanted for code in codes):
        return shipped
    found: set[str] = set()
    for code in codes:
        fields = label_fields(code.text, code.aim, today=_ANY_DAY)
        if fields is not None and fields.serial is not None and fields.gtin in gtins:
            found.add(fields.serial)
    return found.pop() if len(found) == 1 else None


_ANY_DAY = date(2026, 1, 1)
"""Only decides the century of dates, which are not asked for here."""
