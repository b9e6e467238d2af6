"""The layout test label of a scanner that types: what it shows when the scanner and the computer disagree.

A scanner sends key positions, not characters; one that is set to the US layout types ``RMAß10442`` for ``RMA-10442`` on
a German computer. The label holds characters whose keys differ between layouts and are nowhere dead keys, so that what
arrives says which layout is at work.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from station.assets import asset

LABEL = "KEY-TEST/YZAQWM;:#@]29"
"""Print it as Code 128 (or QR). Only upper case: a Caps Lock that is on shows too."""
_SENT = "us"
_NONE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class LayoutVerdict:
    """What the label says about this scanner on this computer."""

    layout: str
    """``us`` = scanner and computer agree; ``gb``, ``de``, ``es``, ``fr``, ``it``, ``pl``; ``""`` = not recognised."""
    advice: str
    """For people: what is wrong and what to do."""
    caps_lock: bool = False
    repair: Mapping[str, str] | None = None
    """What was typed → what was meant, where every character that arrives stands for exactly one."""
    lost: str = ""
    """Characters that do not arrive at all: no table brings them back."""

    @property
    def is_good(self) -> bool:
        return self.layout == _SENT and not self.caps_lock


@cache
def layouts() -> dict[str, tuple[str, str]]:
    """Layout → its name and its characters, key by key, plain then shifted."""
    with asset("devices", "wedge_layouts.toml").open("rb") as file:
        rows = tomllib.load(file)
    return {key: (row["name"], row["plain"] + row["shift"]) for key, row in rows.items()}


def typed_on(layout: str, text: str) -> str:
    """What arrives of a text that a US scanner types on another layout; what does not arrive is left out.

    >>> typed_on("de", "]C1RMA-2026/Y")
    '+C1RMAß2026-Z'
    """
    sent, typed = layouts()[_SENT][1], layouts()[layout][1]
    table = dict(zip(sent, typed, strict=True))
    return "".join(table.get(character, character) for character in text).replace(_NONE, "")


def is_layout_test(text: str) -> bool:
    """This scan is the label, however garbled: it is not to be taken for a code."""
    return bool(_layout_of(text)[0])


def diagnose_layout(text: str) -> LayoutVerdict:
    """Say what a scan of the label shows.

    Args:
        text: what arrived, with or without an AIM identifier before it.

    >>> diagnose_layout("KEZßTEST-ZYAQWMöÖ§\\"+29").layout
    'de'
    >>> diagnose_layout("KEY-TEST/YZAQWM;:#@]29").is_good
    True
    """
    layout, caps_lock = _layout_of(text)
    caps = "Caps Lock is on: switch it off. " if caps_lock else ""
    if not layout:
        shown = text[:60]
        advice = (
            f"expected {LABEL!r}, got {shown!r}: set the scanner's keyboard country to this computer's, "
            "and a pause of 10 ms between its keys, then scan the label again"
        )
        return LayoutVerdict("", advice)
    repair, lost = _repair(layout)
    if layout == _SENT:
        return LayoutVerdict(layout, f"{caps}Every character arrives as it was printed.".strip(), caps_lock)
    name = layouts()[layout][0]
    missing = f" The characters {' '.join(lost)} do not arrive at all." if lost else ""
    advice = (
        f"{caps}The scanner types for a US keyboard, this computer is set to {name}: scan the {name} keyboard code in "
        f"the scanner's manual, then this label again.{missing}"
    )
    return LayoutVerdict(layout, advice, caps_lock, repair, lost)


def repaired(text: str, table: Mapping[str, str]) -> str:
    """Characters that the layout cannot have typed stay as they are.

    >>> repaired("RMAß10442", diagnose_layout(typed_on("de", LABEL)).repair or {})
    'RMA-10442'
    """
    return "".join(table.get(character, character) for character in text)


def locked(text: str) -> str:
    """What Caps Lock makes of it; a letter without the other case stays.

    >>> locked("KEZß1")
    'kezß1'
    """
    return "".join(other if len(other := character.swapcase()) == 1 else character for character in text)


def _layout_of(text: str) -> tuple[str, bool]:
    for layout in layouts():
        wanted = typed_on(layout, LABEL)
        for caps_lock, form in ((False, wanted), (True, locked(wanted))):
            if text.endswith(form):
                return layout, caps_lock
    return "", False


def _repair(layout: str) -> tuple[Mapping[str, str] | None, str]:
    sent, typed = layouts()[_SENT][1], layouts()[layout][1]
    table: dict[str, str] = {}
    lost = ""
    for meant, arrives in zip(sent, typed, strict=True):
        if arrives == _NONE:
            lost += meant
        elif table.setdefault(arrives, meant) != meant:
            return None, lost
    return table, lost
