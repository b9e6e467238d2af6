"""Bytes as people write them in a configuration or on a command line."""

from __future__ import annotations

import re

_NAMED = {"\\r": b"\r", "\\n": b"\n", "\\t": b"\t", "\\e": b"\x1b"}


def unescape(text: str) -> bytes:
    r"""Bytes of a text in which ``\r``, ``\n``, ``\t``, ``\e`` and ``\x1b``-like escapes stand for control characters.

    >>> unescape(r"IP\r\n"), unescape(r"\eP"), unescape(r"\x05")
    (b'IP\r\n', b'\x1bP', b'\x05')
    """
    parts = re.split(r"(\\x[0-9A-Fa-f]{2}|\\[a-z])", text)
    return b"".join(_unescape_part(part) for part in parts)


def _unescape_part(part: str) -> bytes:
    if part in _NAMED:
        return _NAMED[part]
    if re.fullmatch(r"\\x[0-9A-Fa-f]{2}", part):
        return bytes.fromhex(part[2:])
    return part.encode()
