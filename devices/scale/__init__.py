"""Scales. One file per protocol: a pure parser, the bytes that ask, the maker's line settings.

To add one: write the parser in a new file (``ScaleParser`` of ``frames.py``; whole frames, exact widths, bounded, a
docstring with its source and "not yet checked on hardware"), add one row to ``DRIVERS``, add its frames to the tests,
and a simulator written from the maker's table and not from the parser. When a weight counts is not a driver's business:
``acceptance.py`` decides for all of them.
"""

from __future__ import annotations

from devices.scale.instrument import Scale, ScaleDriver
from devices.scale.mt_sics import POLL, MtSicsParser
from devices.scale.print_string import PrintStringParser
from devices.transport import LineSettings

__all__ = ["DRIVERS", "Scale", "ScaleDriver"]

DRIVERS: dict[str, ScaleDriver] = {
    "mt_sics": ScaleDriver(
        name="mt_sics",
        line=LineSettings(baud=9600),
        parser=MtSicsParser,
        poll=POLL,
        hint="Is it switched on, and set to MT-SICS? Try: station devices watch PORT --driver mt_sics --baud 9600",
    ),
    "print_string": ScaleDriver(
        name="print_string",
        line=LineSettings(baud=9600),
        parser=PrintStringParser,
        hint="Set it to continuous print, or give the request it answers to (IP for Ohaus, ESC P for Sartorius).",
    ),
}
