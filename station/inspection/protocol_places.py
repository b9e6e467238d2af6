"""On which line of its file a part of a protocol begins, as far as the text says it without doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"^\s*\[\[\s*([a-z_.]+)\s*\]\]")
_ASSIGNED = re.compile(r"^\s*([a-z_]+)\s*=")
_NAME = re.compile(r"(?:^|[{,])\s*(id|code)\s*=\s*[\"']([^\"']{1,100})[\"']")
_LONGEST = 100_000
"""Lines that are looked at."""


def places(text: str) -> dict[str, int]:
    """The ``where`` of a finding (``question 'look', choice 'as_new'``) → line, from 1; only the first of each."""
    found: dict[str, int] = {}
    for where, line in _parts(text):
        found.setdefault(where, line)
    return found


def line_of(where: str, known: dict[str, int]) -> int | None:
    """The line of a finding: of the part itself, else of the last part that a way through names."""
    if where in known:
        return known[where]
    last = where.rpartition(" → ")[2]
    question, is_way, choice = last.partition("=")
    if is_way:
        return known.get(f"question {question!r}, choice {choice!r}") or known.get(f"question {question!r}")
    return known.get(where.partition(",")[0])


def _parts(text: str) -> Iterator[tuple[str, int]]:
    section, question = "", ""
    for number, line in enumerate(text.splitlines()[:_LONGEST], 1):
        if line.lstrip().startswith("#"):
            continue
        header = _HEADER.match(line)
        if header is not None:
            section = header[1]
            continue
        key = _ASSIGNED.match(line)
        if key is not None:
            yield key[1], number
            if key[1] in ("shots", "questions", "shortcuts") and not section:
                section = key[1]
            if section == "questions" and key[1] == "choices":
                section = "questions.choices"
        for name in _NAME.finditer(line):
            if section == "questions":
                question = name[2]
                yield f"question {question!r}", number
            elif section == "questions.choices":
                yield f"question {question!r}, choice {name[2]!r}", number
            elif section == "shots" and name[1] == "id":
                yield f"shot {name[2]!r}", number
            elif section == "shortcuts" and name[1] == "code":
                yield f"shortcut {name[2]!r}", number
