"""Other people's return reasons → our codes (DOMAIN.md). What is in no table is ``other``; the original is kept."""

from __future__ import annotations

import re

from station.exchange.refused import CellRefused

AMAZON = {
    "APPAREL_STYLE": "style",
    "APPAREL_TOO_LARGE": "size_too_large",
    "APPAREL_TOO_SMALL": "size_too_small",
    "DAMAGED_BY_CARRIER": "damaged_in_transit",
    "DAMAGED_BY_FC": "damaged_in_transit",
    "DEFECTIVE": "defective",
    "DID_NOT_LIKE_COLOR": "colour",
    "DID_NOT_LIKE_FABRIC": "style",
    "EXTRA_ITEM": "wrong_item",
    "FOUND_BETTER_PRICE": "unwanted",
    "ITEM_DEFECTIVE": "defective",
    "MISORDERED": "unwanted",
    "MISSED_ESTIMATED_DELIVERY": "arrived_late",
    "MISSING_PARTS": "defective",
    "NEVER_ARRIVED": "arrived_late",
    "NOT_AS_DESCRIBED": "not_as_described",
    "ORDERED_WRONG_ITEM": "unwanted",
    "QUALITY_UNACCEPTABLE": "not_as_described",
    "SWITCHEROO": "wrong_item",
    "UNAUTHORIZED_PURCHASE": "unwanted",
    "UNWANTED_ITEM": "unwanted",
}
"""Reasons of the FBA customer-returns report (Seller Central help, "FBA customer returns report", customer reasons)."""

_CODE = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_JOINTS = re.compile(r"[\s\-/]+")
_WORDS = {
    "color": "colour",
    "too_small": "size_too_small",
    "too_large": "size_too_large",
    "too_big": "size_too_large",
    "damaged": "damaged_in_transit",
    "late": "arrived_late",
    "changed_mind": "unwanted",
}


def from_amazon(reason: str) -> str | None:
    """Our code for Amazon's reason; None where Amazon gives none."""
    if not reason or reason.upper() == "NO_REASON_GIVEN":
        return None
    return AMAZON.get(_JOINTS.sub("_", reason.upper()), "other")


def declared(reason: str, column: str) -> str | None:
    """A reason code of a merchant's own file; reasons are data, so an unknown one stays what it is.

    Raises:
        CellRefused: no code but a sentence; that belongs into the comment.

    >>> declared("Size too small", "reason"), declared("", "reason")
    ('size_too_small', None)
    """
    if not reason:
        return None
    code = _JOINTS.sub("_", reason.lower())
    if not _CODE.fullmatch(code):
        raise CellRefused(
            column, reason, "expected a reason code such as size_too_small; sentences belong into comment"
        )
    return _WORDS.get(code, code)
