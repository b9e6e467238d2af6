"""``station identify``: say what a scan means, with every candidate and its reason."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import click

from station.identify.interpret import interpret
from station.identify.scan import Candidate, Check
from station.identify.text import decode

_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[rnt0\\])")
_PLAIN = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
_MAX_LINE = 65_536
_MARKS = {Check.OK: "check digit right", Check.BAD: "CHECK DIGIT WRONG", Check.NONE: "no check digit"}


def unescape(text: str) -> bytes:
    r"""Turn ``\x1d``-style escapes into bytes: ``\xNN`` is one byte, ``\uNNNN`` one character, ``\r \n \t \0 \\``.

    What is no escape stays as it is; a lone surrogate is kept as its text.

    >>> unescape(r"21HD7\x1d17261231"), unescape(r"\u001d\\x")
    (b'21HD7\x1d17261231', b'\x1d\\x')
    """
    found = bytearray()
    end = 0
    for escape in _ESCAPE.finditer(text):
        found += _encode(text[end : escape.start()]) + _byte_of(escape)
        end = escape.end()
    return bytes(found + _encode(text[end:]))


def _byte_of(escape: re.Match[str]) -> bytes:
    name = escape.group(1)
    if name[0] == "x":
        return bytes.fromhex(name[1:])
    if name[0] == "u" and len(name) == 5:
        number = int(name[1:], 16)
        return _encode(escape.group(0)) if 0xD800 <= number <= 0xDFFF else chr(number).encode()
    return _PLAIN[name]


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.argument("scans", nargs=-1, metavar="SCAN…")
def identify(scans: tuple[str, ...], as_json: bool) -> None:
    r"""Say what each SCAN means.

    Write control characters as escapes: \x1d (GS, what a scanner sends for FNC1), \r \n \t \\ \u001d. An AIM identifier
    such as ]C1 may stand in front. Without SCAN, lines are read from standard input. Put -- before a scan that begins
    with a hyphen.
    """
    if as_json:
        found = [_as_json(data) for data in _inputs(scans)]
        click.echo(json.dumps({"scans": found}, ensure_ascii=True))
        return
    for data in _inputs(scans):
        _show(data)


def _inputs(scans: tuple[str, ...]) -> Iterator[bytes]:
    if scans:
        yield from map(unescape, scans)
        return
    for line in iter(lambda: sys.stdin.buffer.readline(_MAX_LINE), b""):
        text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        if text:
            yield unescape(text)


def _as_json(data: bytes) -> dict[str, object]:
    return {"text": decode(data), "candidates": [_candidate(one) for one in interpret(data)]}


def _candidate(one: Candidate) -> dict[str, object]:
    found: dict[str, object] = {
        "kind": one.kind.value,
        "key": one.key,
        "carrier": one.carrier,
        "check": one.check.value,
        "reason": one.reason,
    }
    if one.elements:
        found["elements"] = [{"ai": ai, "value": value} for ai, value in one.elements]
    return found


def _show(data: bytes) -> None:
    candidates = interpret(data)
    click.secho(_printable(decode(data)), bold=True)
    if not candidates:
        click.echo("  no meaning: neither a code of ours, an article, a carrier's number nor printable text")
    for number, one in enumerate(candidates, start=1):
        mark = _MARKS[one.check]
        colour = {Check.OK: "green", Check.BAD: "red"}.get(one.check)
        head = f"  {number}  {one.kind.value:<9}{_printable(one.key)}"
        click.echo(f"{head}  {click.style(mark, fg=colour)}")
        click.echo(f"     {'':<9}{_printable(one.reason)}")
        for ai, value in one.elements if one.kind.value == "gs1" else ():
            click.echo(f"     {'':<9}({ai}) {_printable(value)}")


def _printable(text: str) -> str:
    """Text without anything that could steer a terminal."""
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    encoding = sys.stdout.encoding or "utf-8"
    return safe.encode(encoding, "backslashreplace").decode(encoding)
