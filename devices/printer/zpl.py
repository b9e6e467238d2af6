"""A bitmap as ZPL II: one ``^GFA`` field, hexadecimal with Zebra's run-length letters.

Source: ZPL II Programming Guide, ``^GF`` and "Alternative Data Compression Scheme": G…Y repeat the next digit 1…19
times, g…z 20…400 times in steps of 20, ``,`` fills the row with zeros, ``!`` with ones, ``:`` repeats the row above.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.printer.label import LabelImage

HOST_STATUS = b"~HS"
CANCEL_PARTIAL = b"~JX"
"""Drops a format whose end never came; formats that are complete are left alone."""


def zpl_label(label: LabelImage, job_id: str) -> bytes:
    """One label, one copy.

    Args:
        label: what is printed.
        job_id: goes into a comment, so that a captured stream tells which job it was.
    """
    total = label.bytes_per_row * label.height
    comment = "".join(letter for letter in job_id if letter.isalnum() or letter in "-_.")
    head = f"^XA^FX{comment}^FS^PW{label.width}^LL{label.height}^LH0,0^FO0,0"
    return f"{head}^GFA,{total},{total},{label.bytes_per_row},{_graphic(label)}^FS^PQ1^XZ\n".encode("ascii")


def _graphic(label: LabelImage) -> str:
    rows, before = [], ""
    for start in range(0, len(label.bits), label.bytes_per_row):
        digits = label.bits[start : start + label.bytes_per_row].hex().upper()
        rows.append(":" if digits == before else _row(digits))
        before = digits
    return "".join(rows)


def _row(digits: str) -> str:
    body, end = digits, ""
    for filler, mark in (("0", ","), ("F", "!")):
        stripped = digits.rstrip(filler)
        if len(stripped) < len(digits):
            body, end = stripped, mark
    return "".join(_run(digit, len(list(group))) for digit, group in itertools.groupby(body)) + end


def _run(digit: str, length: int) -> str:
    """``length`` times one hexadecimal digit."""
    if length == 1:
        return digit
    out = ""
    while length > 419:
        out, length = out + "z" + digit, length - 400
    scores, ones = divmod(length, 20)
    out += chr(ord("g") + scores - 1) if scores else ""
    out += chr(ord("G") + ones - 1) if ones else ""
    return out + digit
