"""Bytes of a scan → AIM symbology identifier and text. Nothing is stripped here: GS (0x1D) is data."""

from __future__ import annotations

import re

GS = "\x1d"
"""Group separator: how a scanner sends FNC1 between two GS1 elements."""

_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")

GS1_AIMS = frozenset({"]C1", "]e0", "]d2", "]Q3"})
"""GS1-128, GS1 DataBar, GS1 DataMatrix, GS1 QR: the symbols whose data is element strings (GS1 GenSpecs §7.8)."""


def split_aim(data: bytes) -> tuple[str | None, bytes]:
    """Split off the AIM symbology identifier that a scanner may send in front.

    Returns:
        The identifier (``]C1``) or None, and the data without it.

    Source: ISO/IEC 15424: flag ``]``, code character, modifier.

    >>> split_aim(b"]E04006381333931"), split_aim(b"4006381333931")
    ((']E0', b'4006381333931'), (None, b'4006381333931'))
    """
    if _AIM.match(data):
        return data[:3].decode("ascii"), data[3:]
    return None, data


def decode(data: bytes) -> str:
    """Read a scan as UTF-8, else byte by byte as Latin-1: every byte string has exactly one text, none is refused.

    >>> decode("Größe".encode()), decode(b"Gr\\xf6\\xdfe")
    ('Größe', 'Größe')
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def is_retail(aim: str | None) -> bool:
    """The symbol is EAN or UPC: what it carries is an article number and nothing else."""
    return aim is not None and aim.startswith("]E")


def is_ascii_digits(text: str) -> bool:
    """Digits 0–9 only (``str.isdigit`` also takes Arabic ones and superscripts)."""
    return text.isascii() and text.isdigit()
