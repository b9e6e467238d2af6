"""Condition axes and grading schemes, as data with written meanings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from station.decision.model import AxisLevel, Disposition, Grade
from station.errors import InvalidInput
from station.returns.policy import BasisPoints, Line, Part
from station.toml_file import did_you_mean

Version = Annotated[int, msgspec.Meta(ge=1)]


class Axis(Part, frozen=True, kw_only=True):
    """One condition axis; a higher level is better."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Line
    levels: tuple[Line, ...]
    """Meaning of level 1, 2, 3 … in that order."""

    @property
    def best(self) -> int:
        return len(self.levels)

    def at(self, level: int) -> AxisLevel:
        return AxisLevel(self.id, level, self.best, self.levels[level - 1])


class AxisBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="axes"):
    """All axes."""

    version: Version
    axes: tuple[Axis, ...]
    sha256: str = ""

    def axis(self, axis_id: str) -> Axis | None:
        return next((axis for axis in self.axes if axis.id == axis_id), None)

    def check_levels(self, levels: Mapping[str, int], where: str) -> None:
        """Refuse a level that no axis has.

        Raises:
            InvalidInput: names the axis and its range.
        """
        for name, level in levels.items():
            axis = self.axis(name)
            if axis is None:
                raise InvalidInput(f"{where}: unknown axis {name!r}; {did_you_mean(name, [a.id for a in self.axes])}")
            if not 1 <= level <= axis.best:
                raise InvalidInput(f"{where}: {name} = {level!r}, expected 1 to {axis.best}")


class GradeRule(Part, frozen=True, kw_only=True):
    """One grade: its meaning in words and the levels it needs."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_+]*$", max_length=24)]
    meaning: Line
    minimum: dict[str, int] = msgspec.field(default_factory=dict)
    """Axis → lowest level that still has this grade; empty = everything else."""
    recovery_bp: dict[Disposition, BasisPoints] = msgspec.field(default_factory=dict)
    """Route → share of the price as new that it brings in; a route that is not named brings nothing."""


class GradingScheme(Part, frozen=True, kw_only=True, tag_field="kind", tag="grading_scheme"):
    """Grades from best to worst; the first whose minimum levels all hold is the unit's grade."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Version
    title: Line
    grades: tuple[GradeRule, ...]
    optional: tuple[str, ...] = ()
    """Axes that count only where a protocol judges them; any other axis that is absent fails a minimum on it."""
    sha256: str = ""

    def rule(self, code: str) -> GradeRule | None:
        return next((rule for rule in self.grades if rule.code == code), None)

    def grade(self, axes: tuple[AxisLevel, ...]) -> Grade:
        """Name the condition that the axes describe; the last grade takes whatever is left."""
        levels = {level.axis: level.level for level in axes}
        for rule in self.grades:
            if all(
                levels.get(axis, 0) >= minimum
                for axis, minimum in rule.minimum.items()
                if axis in levels or axis not in self.optional
            ):
                return Grade(rule.code, rule.meaning, self.name, self.version, axes)
        last = self.grades[-1]
        return Grade(last.code, last.meaning, self.name, self.version, axes)


def check_scheme(scheme: GradingScheme, axes: AxisBook, where: str) -> None:
    """Refuse a scheme that leaves some condition without a grade or names a level that does not exist.

    Raises:
        InvalidInput: says which grade and why.
    """
    if not scheme.grades:
        raise InvalidInput(f"{where}: 'grades' is empty")
    codes = [rule.code for rule in scheme.grades]
    if len(set(codes)) != len(codes):
        raise InvalidInput(f"{where}: a grade code is there twice: {', '.join(codes)}")
    axes.check_levels(dict.fromkeys(scheme.optional, 1), f"{where}: 'optional'")
    for rule in scheme.grades:
        axes.check_levels(rule.minimum, f"{where}: grade {rule.code!r}")
    if scheme.grades[-1].minimum:
        raise InvalidInput(
            f"{where}: the last grade {codes[-1]!r} has minimum levels: leave them out, so that every unit has a grade"
        )
