"""What others call our grades and ways: tables as data, read from the first rule that fits.

Theirs are rarely as many words as ours, so a value says whether it is *lossy*: whether something else of ours is told
in the same word, or there is none. Then our own value goes along in the note and nothing is lost. Nobody writes down
which are lossy; it follows from the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from station.decision.model import Decision, Disposition
from station.decision.scheme import GradingScheme
from station.errors import InvalidInput
from station.returns.policy import Line, Part, covers
from station.toml_file import did_you_mean


class OutwardRule(Part, frozen=True, kw_only=True):
    """One word and what it is said of; parts that are empty fit everything."""

    value: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    category: str = ""
    not_category: tuple[str, ...] = ()
    scheme: str = ""
    grades: tuple[str, ...] = ()
    ways: tuple[Disposition, ...] = ()
    found: tuple[str, ...] = ()
    """Reasons that were found."""

    def fits(self, said: Said) -> bool:
        """Whether this is the word for something."""
        category = said.category or ""
        return (
            covers(self.category, category)
            and not any(covers(prefix, category) for prefix in self.not_category)
            and (not self.scheme or self.scheme == said.scheme)
            and (not self.grades or said.grade in self.grades)
            and (not self.ways or said.way in self.ways)
            and (not self.found or said.found in self.found)
        )


class OutwardMap(Part, frozen=True, kw_only=True, tag_field="kind", tag="outward"):
    """The words of one receiver."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: Line
    conditions: tuple[OutwardRule, ...] = ()
    dispositions: tuple[OutwardRule, ...] = ()
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The part of a decision that others have words for."""

    category: str | None
    scheme: str
    grade: str
    """Empty = not graded."""
    way: Disposition
    found: str | None


@dataclass(frozen=True, slots=True)
class Outward:
    """One of our values in another's word."""

    target: str
    what: str
    """``condition`` or ``disposition``."""
    value: str | None
    """None = they have no word for it."""
    lossy: bool
    """Another value of ours is told in the same word, or there is none: keep the note."""
    note: str
    """Our own value, e.g. ``standard:B``."""
    version: str
    """``name@version sha256`` of the table."""


def outward_of(decision: Decision, category: str | None, maps: Sequence[OutwardMap], scheme: GradingScheme | None) -> (
    tuple[Outward, ...]
):  # fmt: skip
    """What each receiver is told of a decision.

    Args:
        scheme: the decision's own, for what else its grades could have been; None = not graded.
    """
    grade = decision.grade
    said = Said(
        category,
        grade.scheme if grade is not None else "",
        grade.code if grade is not None else "",
        decision.disposition,
        decision.found_reason,
    )
    grades = tuple(rule.code for rule in scheme.grades) if scheme is not None else ()
    return tuple(one for table in maps for one in told(table, said, grades))


def told(table: OutwardMap, said: Said, grades: tuple[str, ...]) -> Iterator[Outward]:
    """One receiver's words for what is said.

    Args:
        grades: all grades of its scheme, for what else the word could mean.
    """
    version = f"{table.name}@{table.version} {table.sha256}"
    if table.conditions and said.grade:
        value = word(table.conditions, said)
        alike = grades_of(table, said, grades, value) if value is not None else ()
        yield Outward(table.name, "condition", value, alike != (said.grade,), f"{said.scheme}:{said.grade}", version)
    if table.dispositions:
        value = word(table.dispositions, said)
        ways = ways_of(table, said, value) if value is not None else ()
        yield Outward(table.name, "disposition", value, ways != (said.way,), said.way.value, version)


def word(rules: tuple[OutwardRule, ...], said: Said) -> str | None:
    """The first rule's word; None = there is none."""
    return next((rule.value for rule in rules if rule.fits(said)), None)


def grades_of(table: OutwardMap, said: Said, grades: Sequence[str], value: str) -> tuple[str, ...]:
    """The grades of a scheme that can be told in this word, for this kind of goods: the way back."""
    reasons = {said.found, None, *(reason for rule in table.conditions for reason in rule.found)}
    return tuple(
        grade
        for grade in grades
        if any(
            word(table.conditions, Said(said.category, said.scheme, grade, way, found)) == value
            for way in Disposition
            for found in reasons
        )
    )


def ways_of(table: OutwardMap, said: Said, value: str) -> tuple[Disposition, ...]:
    """The ways that can be told in this word: the way back."""
    reasons = {said.found, None, *(reason for rule in table.dispositions for reason in rule.found)}
    return tuple(
        way
        for way in Disposition
        if any(
            word(table.dispositions, Said(said.category, said.scheme, said.grade, way, found)) == value
            for found in reasons
        )
    )


def check_outward(table: OutwardMap, schemes: Sequence[GradingScheme], reasons: Sequence[str], where: str) -> None:
    """Refuse a table that names what does not exist or has a rule that nothing reaches.

    Raises:
        InvalidInput: names the rule.
    """
    known = {scheme.name: [rule.code for rule in scheme.grades] for scheme in schemes}
    for number, rule in enumerate((*table.conditions, *table.dispositions), 1):
        at = f"{where}: rule {number} ({rule.value!r})"
        if rule.scheme and rule.scheme not in known:
            raise InvalidInput(f"{at}: unknown scheme {rule.scheme!r}; {did_you_mean(rule.scheme, list(known))}")
        if rule.grades and not rule.scheme:
            raise InvalidInput(
                f"{at}: 'grades' need their 'scheme': the same letter means another thing in another one"
            )
        for grade in rule.grades:
            if grade not in known[rule.scheme]:
                raise InvalidInput(f"{at}: unknown grade {grade!r}; {did_you_mean(grade, known[rule.scheme])}")
        for reason in rule.found:
            if reason not in reasons:
                raise InvalidInput(f"{at}: unknown reason {reason!r}; {did_you_mean(reason, list(reasons))}")
    for rules in (table.conditions, table.dispositions):
        for later, rule in enumerate(rules):
            if any(_hides(earlier, rule) for earlier in rules[:later]):
                raise InvalidInput(f"{where}: rule {rule.value!r} is never reached: an earlier one takes all it fits")


def _hides(earlier: OutwardRule, later: OutwardRule) -> bool:
    """Whether an earlier rule fits whatever a later one fits."""

    def within(wide: tuple[object, ...], narrow: tuple[object, ...]) -> bool:
        return not wide or (bool(narrow) and set(narrow) <= set(wide))

    return (
        covers(earlier.category, later.category)
        and set(earlier.not_category) <= set(later.not_category)
        and earlier.scheme in ("", later.scheme)
        and within(earlier.grades, later.grades)
        and within(earlier.ways, later.ways)
        and within(earlier.found, later.found)
    )
