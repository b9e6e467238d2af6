"""Recall notices against one unit: fuzzy enough to miss none, and never more than *possible* until a person has looked.

A notice names articles (codes, or a model's name as people write it) and may narrow them down to serial numbers, lots
or days of making. What is outside a range *for certain* is ruled out, and the answer says so; what is unknown or cannot
be compared stays possible. Comparing is done on normalised text of any script: accents, case, hyphens and spaces mean
nothing, digits are digits whatever their script, and ``O``/``0``, ``I``/``l``/``1``, ``S``/``5``, ``B``/``8`` are told
apart by nobody on a worn label. Scripts that write no spaces (Chinese, Japanese, Thai …) are compared by what a name
contains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated

import msgspec

from station.decision.scheme import Version
from station.errors import InvalidInput
from station.returns.model import CatalogueItem
from station.returns.policy import Line, Part

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts that write no spaces between words."""
_HYPHEN = re.compile(r"(?<=\w)[-\u2010-\u2015_.](?=\w)")
_LOOKALIKES = str.maketrans("oilsb", "01158")
_SHORTEST_FUZZY = 5
"""Letters; in a shorter word one other letter is another word."""


class Range(Part, frozen=True, kw_only=True):
    """Serial numbers or lots, both ends included. One that has no ``to`` is a single number."""

    first: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class Days(Part, frozen=True, kw_only=True):
    """Days of making, both included."""

    first: date
    to: date


class Notice(Part, frozen=True, kw_only=True):
    """One notice."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")]
    text: Line
    """What is wrong with it, in one sentence."""
    merchants: tuple[str, ...] = ()
    """Merchants whose goods these are; empty = anybody's."""
    gtins: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Names and model numbers as the notice writes them; all words of one must be in the article's name."""
    serials: tuple[Range, ...] = ()
    lots: tuple[Range, ...] = ()
    made: tuple[Days, ...] = ()


class RecallBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="recalls", dict=True):
    """A list of notices."""

    version: Version
    notices: tuple[Notice, ...] = ()
    sha256: str = ""

    @cached_property
    def _by_code(self) -> dict[str, tuple[int, ...]]:
        return _index((code, number) for number, notice in enumerate(self.notices) for code in _codes_of(notice))

    @cached_property
    def _by_word(self) -> dict[str, tuple[int, ...]]:
        """A model's longest word and everything one slip away from it → notices."""
        return _index(
            (near, number)
            for number, notice in enumerate(self.notices)
            for model in notice.models
            for word in (max(words(model), key=len), "".join(words(model)))
            for near in (*_near(word), *_pieces(word)[:1])
        )

    def about(self, item: CatalogueItem) -> Iterator[Notice]:
        """Notices that may mean this article, in the order of the list."""
        codes = [_gtin(code) for code in (*item.gtins, *item.codes)] + ["sku:" + plain(item.sku)]
        found = {number for code in codes for number in self._by_code.get(code, ())}
        named = words(item.title) + words(item.sku)
        for word in _with_joined(named):
            found.update(number for near in (*_near(word), *_pieces(word)) for number in self._by_word.get(near, ()))
        for number in sorted(found):
            notice = self.notices[number]
            if notice.merchants and item.merchant_id not in notice.merchants:
                continue
            if any(number in self._by_code.get(code, ()) for code in codes) or any(
                names(model, named) for model in notice.models
            ):
                yield notice


NO_RECALLS = RecallBook(version=1)


class Fit(StrEnum):
    """How a notice that means the article fits the unit."""

    POSSIBLE = "possible"
    RULED_OUT = "ruled_out"


@dataclass(frozen=True, slots=True)
class Match:
    """One notice that means this article."""

    notice: Notice
    fit: Fit
    why: str
    """A sentence: what was compared and what is not known."""


def match_recalls(
    book: RecallBook,
    item: CatalogueItem | None,
    serial: str | None = None,
    lot: str | None = None,
    made: date | None = None,
) -> tuple[Match, ...]:
    """Every notice that means this article, those that a serial number or a lot rules out included."""
    if item is None or not book.notices:
        return ()
    return tuple(_match(notice, serial, lot, made) for notice in book.about(item))


def _match(notice: Notice, serial: str | None, lot: str | None, made: date | None) -> Match:
    said: list[str] = []
    for what, ranges, known in (("serial number", notice.serials, serial), ("lot", notice.lots, lot)):
        if not ranges:
            continue
        if known is None or not plain(known):
            said.append(f"its {what} is not known")
            continue
        inside = [within(known, one) for one in ranges]
        if any(inside):
            said.append(f"{what} {known!r} is on the list")
        elif any(answer is None for answer in inside):
            said.append(f"{what} {known!r} cannot be compared with the list")
        else:
            return Match(notice, Fit.RULED_OUT, f"Recall {notice.id}: {what} {known!r} is not on the list")
    if notice.made and made is None:
        said.append("its day of making is not known")
    elif notice.made and made is not None:
        if not any(days.first <= made <= days.to for days in notice.made):
            return Match(notice, Fit.RULED_OUT, f"Recall {notice.id}: made on {made}, which is not on the list")
        said.append(f"made on {made}, which is on the list")
    return Match(notice, Fit.POSSIBLE, f"Recall {notice.id} may mean it: {', '.join(said) or 'article is on the list'}")


def check_recalls(book: RecallBook, where: str) -> None:
    """Refuse a list that could be misread.

    Raises:
        InvalidInput: names the notice.
    """
    seen: set[str] = set()
    for notice in book.notices:
        at = f"{where}: notice {notice.id!r}"
        if notice.id in seen:
            raise InvalidInput(f"{at} is there twice")
        seen.add(notice.id)
        if not (notice.gtins or notice.skus or notice.models):
            raise InvalidInput(f"{at} names no article: give 'gtins', 'skus' or 'models'")
        for model in notice.models:
            if not words(model):
                raise InvalidInput(f"{at}: model {model!r} has neither letters nor digits")
        for days in notice.made:
            if days.first > days.to:
                raise InvalidInput(f"{at}: {days.first} to {days.to} is no range of days")
        for one in (*notice.serials, *notice.lots):
            if one.to is not None and within(one.to, one) is None:
                raise InvalidInput(
                    f"{at}: {one.first!r} to {one.to!r} is no range: both ends must be built alike, the first not above"
                )


def plain(text: str) -> str:
    """Letters and digits only, without case or accents.

    >>> plain("Größe HD-7 / É"), plain("Наушники ХД‑7"), plain("パワー・バンク １０")
    ('grossehd7e', 'наушникихд7', 'ハワーハンク10')
    """
    return "".join(words(text))


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Letters and numbers of every script; marks (accents, vowel signs) join, everything else separates.

    Source: Unicode Standard Annex #15 (NFKD) and its general categories L, M and N.
    """
    bare: list[str] = []
    for mark in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()):
        category = unicodedata.category(mark)
        if category[0] != "M":
            bare.append(str(unicodedata.digit(mark)) if category == "Nd" else mark)
    joined = _HYPHEN.sub("", "".join(bare))
    kept = "".join(mark if unicodedata.category(mark)[0] in "LN" else " " for mark in joined)
    # Korean syllables come together again: a slip is one of a syllable, not of a stroke.
    return tuple(unicodedata.normalize("NFC", kept).split())


def words(text: str) -> list[str]:
    """The words of a name; hyphens join, so that ``HD-7`` and ``HD7`` are one.

    >>> words("Halden HD-7, black")
    ['halden', 'hd7', 'black']
    """
    return list(_words(text))


def names(model: str, named: list[str]) -> bool:
    """Whether all words of a model are in a name, each with at most one slip; digits never slip.

    >>> names("Halden ANC", words("haldne anc black")), names("HD7", words("HD8"))
    (True, False)
    >>> names("Power Pack 10", words("Powerpack 10"))
    True
    """
    wanted = words(model)
    pairs = _with_joined(named)
    if all(any(_found_in(word, other) for other in pairs) for word in wanted):
        return True
    joined = "".join(wanted)
    return any(_shape(joined) == _shape(other) or (_pieces(joined) and joined in other) for other in pairs)


def _with_joined(named: list[str]) -> list[str]:
    """The words, and each two neighbours as one."""
    return [*named, *(one + other for one, other in pairwise(named))]


def _found_in(word: str, other: str) -> bool:
    """Whether a word of a model is another one, or lies in it where nothing is written between words."""
    return alike(word, other) or (bool(_pieces(word)) and word in other)


def alike(one: str, other: str) -> bool:
    """Equal up to one slip: a letter more, less, other, or two swapped. Digits must agree, lookalikes aside.

    Source: the restricted edit distance of Damerau (1964), at most 1.
    """
    if one == other:
        return True
    if _shape(one) == _shape(other) and any(mark.isdigit() for mark in one):
        return True  # O and 0, I and 1
    if _digits(one) != _digits(other) or min(len(one), len(other)) < _SHORTEST_FUZZY:
        return False
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b or b[1:] == a


def within(text: str, span: Range) -> bool | None:
    """Whether a number lies in a range; None = built differently, so nobody can say.

    >>> span = Range(first="SN-00100", to="SN-00199")
    >>> within("sn00150", span), within("SN O0150", span), within("SN00200", span), within("XX-1", span)
    (True, True, False, None)
    """
    first, value = plain(span.first), plain(text)
    if not value:
        return None
    if span.to is None:
        return _shape(value) == _shape(first)
    low, high, mine = (_shape(word) for word in (first, plain(span.to), value))
    if not len(low) == len(high) == len(mine) or low > high:
        return None
    # Order is certain where all three have the same letters in the same places and digits everywhere else.
    if any(len(set(marks)) > 1 and not all(map(str.isdigit, marks)) for marks in zip(low, high, mine, strict=True)):
        return None
    return low <= mine <= high


def _shape(text: str) -> str:
    """With all lookalikes as digits."""
    return text.translate(_LOOKALIKES)


def _digits(text: str) -> str:
    return "".join(mark for mark in text if mark.isdigit())


@lru_cache(maxsize=4096)
def _near(word: str) -> frozenset[str]:
    """The word and all that lack one letter of it: two words one slip apart share one of these."""
    near = {word, "~" + _shape(word)}
    if len(word) >= _SHORTEST_FUZZY:
        near.update(word[:at] + word[at + 1 :] for at in range(len(word)))
    return frozenset(near)


@lru_cache(maxsize=4096)
def _pieces(word: str) -> tuple[str, ...]:
    """Each two neighbours of a word that is written without spaces: what a longer word contains, these find."""
    if _UNSPACED.search(word) is None:
        return ()
    return tuple("=" + word[at : at + 2] for at in range(max(1, len(word) - 1)))


def _gtin(code: str) -> str:
    return "gtin:" + code.strip().zfill(14) if code.strip().isdigit() else "sku:" + plain(code)


def _codes_of(notice: Notice) -> Iterator[str]:
    for gtin in notice.gtins:
        yield _gtin(gtin)
    for sku in notice.skus:
        yield "sku:" + plain(sku)
        if sku.strip().isdigit():
            yield _gtin(sku)


def _index(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    table: dict[str, list[int]] = {}
    for key, number in pairs:
        table.setdefault(key, []).append(number)
    return {key: tuple(numbers) for key, numbers in table.items()}
