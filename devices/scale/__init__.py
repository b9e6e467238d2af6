"""Scales. One file per protocol: a pure parser, the bytes that ask, the maker's line settings.

To add one: write the parser in a new file (``ScaleParser`` of ``frames.py``; whole frames, exact widths, bounded, a
docstring with its source and "not yet checked on hardware"), add one row to ``DRIVERS``, add its frames to
``tests/devices/scale/examples`` (every harness takes them from there), and a simulator written from the maker's table
and not from the parser. When a weight counts is not a driver's business:
``acceptance.py`` decides for all of them.
"""

from __future__ import annotations

from devices.scale import cas, nci, sma, toledo_8217, yaohua
from devices.scale.hid import HidParser
from devices.scale.instrument import Scale, ScaleDriver
from devices.scale.mt_sics import POLL, MtSicsParser
from devices.scale.print_string import PrintStringParser
from devices.scale.st_gs import StGsParser
from devices.scale.toledo_continuous import ToledoContinuousParser
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
    "toledo_continuous": ScaleDriver(
        name="toledo_continuous",
        line=LineSettings(baud=9600),
        parser=ToledoContinuousParser,
        hint="Set its output to continuous. Toledo scales are often set to 7E1: try --bits 7E1.",
    ),
    "toledo_8217": ScaleDriver(
        name="toledo_8217",
        line=LineSettings(baud=9600, data_bits=7, parity="E"),
        parser=toledo_8217.Toledo8217Parser,
        poll=toledo_8217.POLL,
        poll_every_s=0.25,
        hint="Is it set to 8217 (also called 8213)? After a failed self-test it answers nothing: switch it off and on.",
        parser_for_unit=toledo_8217.parser_for_unit,
    ),
    "sma": ScaleDriver(
        name="sma",
        line=LineSettings(baud=9600),
        parser=sma.SmaParser,
        poll=sma.POLL,
        hint="Is its interface set to SMA (SCP-0499)?",
    ),
    "nci": ScaleDriver(
        name="nci",
        line=LineSettings(baud=9600, data_bits=7, parity="E"),
        parser=nci.NciParser,
        poll=nci.POLL,
        hint="Is it set to NCI (SCP-01) or ECR? Many of them are at 9600 7E1.",
    ),
    "print_string": ScaleDriver(
        name="print_string",
        line=LineSettings(baud=9600),
        parser=PrintStringParser,
        hint=(
            "Set it to continuous print, or give the request it answers to (IP for Ohaus, ESC P for Sartorius, P for "
            "Adam, which says nothing while its weight is unchanged or zero)."
        ),
    ),
    "st_gs": ScaleDriver(
        name="st_gs",
        line=LineSettings(baud=9600),
        parser=StGsParser,
        hint=(
            r"Set it to stream, or give the request it answers to: poll Q\r\n for A&D (often 2400 7E1), READ\r\n for "
            "Dini Argeo, w for Kern."
        ),
    ),
    "cas": ScaleDriver(
        name="cas",
        line=LineSettings(baud=9600),
        parser=cas.CasParser,
        poll=cas.POLL,
        hint="Is it set to answer ENQ (AP, ER, SW)? A CAS PD-II in type 5 needs the driver toledo_8217.",
    ),
    "yaohua": ScaleDriver(
        name="yaohua",
        line=LineSettings(baud=9600),
        parser=yaohua.YaohuaParser,
        hint=r"Set its tF to 0 (continuous); in command mode give it the poll \x02AB03\x03 (address A).",
        parser_for_unit=yaohua.parser_for_unit,
    ),
    "hid": ScaleDriver(
        name="hid",
        line=LineSettings(),
        parser=HidParser,
        hint="USB scales go to sleep after some minutes: press its button, or switch its auto-off off.",
    ),
}
