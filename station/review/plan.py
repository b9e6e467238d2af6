"""The audit's plan: how large a sample, how many disagreements still pass, which share of units is drawn.

Sizes and acceptance numbers are data (``resources/review/sampling.toml``) with the table they come from.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec

from station.assets import asset
from station.errors import InvalidInput
from station.toml_file import read_toml, typed

WHOLE_PPM: Final = 1_000_000


class Severity(StrEnum):
    """How closely a cell is looked at."""

    NORMAL = "normal"
    TIGHTENED = "tightened"
    REDUCED = "reduced"
    EVERY = "every"
    """Every unit, until a lead ends it: what the standard calls discontinuation of sampling."""


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One severity of a plan."""

    sample: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    """Audited units that end a lot."""
    accept: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    """Ac: so many disagreements in the sample still accept the lot."""
    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=WHOLE_PPM)]
    """Share of the units that is drawn, parts per million."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file. The same name and version always have the same content."""

    kind: str
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: str
    source: str
    aql_bp: Annotated[int, msgspec.Meta(ge=1, le=9_999)]
    """Share of disagreements that is still taken as good work on average, in 1/10 000."""
    normal: Level
    tightened: Level
    reduced: Level
    tighter_accept: Annotated[int, msgspec.Meta(ge=0)]
    """Ac of the normal plan one AQL step tighter: what counts towards reduced inspection."""
    score_step: Annotated[int, msgspec.Meta(ge=1)] = 3
    """Added to the switching score by a normal lot that the tighter plan accepts too."""
    reduced_from: Annotated[int, msgspec.Meta(ge=1)] = 30
    """Switching score from which inspection is reduced."""
    rejects_within: Annotated[int, msgspec.Meta(ge=2)] = 5
    """Two lots not accepted among so many consecutive ones tighten the inspection."""
    accepts_to_normal: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Consecutive accepted lots that end tightened inspection."""
    rejects_to_every: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Lots not accepted, over one period of tightened inspection, after which every unit is looked at."""
    clearance: Annotated[int, msgspec.Meta(ge=1, le=1_000)]
    """Units right in succession before a lead may end the look at every unit (the *i* of Dodge's CSP-1)."""
    sha256: str = ""

    @property
    def id(self) -> str:
        """As a record names it."""
        return f"{self.name}@{self.version}"

    def level(self, severity: Severity) -> Level:
        """The numbers of a severity; every unit = the tightened lot with a share of one."""
        if severity is Severity.EVERY:
            return msgspec.structs.replace(self.tightened, share_ppm=WHOLE_PPM)
        return {
            Severity.NORMAL: self.normal,
            Severity.TIGHTENED: self.tightened,
            Severity.REDUCED: self.reduced,
        }[severity]


def read_plan(path: Path | None = None) -> Plan:
    """Read a plan.

    Args:
        path: None = the shipped one.

    Raises:
        InvalidInput: not such a file, or numbers that contradict each other.
    """
    path = path if path is not None else asset("review", "sampling.toml")
    file = read_toml(path)
    plan = msgspec.structs.replace(typed(file, Plan), sha256=file.sha256)
    if plan.kind != "sampling":
        raise InvalidInput(f"{path}: kind is {plan.kind!r}, expected 'sampling'")
    for severity in (Severity.NORMAL, Severity.TIGHTENED, Severity.REDUCED):
        level = plan.level(severity)
        if level.accept >= level.sample:
            raise InvalidInput(
                f"{path}: {severity.value}: accept {level.accept} of a sample of {level.sample} rejects nothing"
            )
    if plan.tighter_accept > plan.normal.accept:
        raise InvalidInput(f"{path}: tighter_accept {plan.tighter_accept} is above the normal {plan.normal.accept}")
    shares = (plan.reduced.share_ppm, plan.normal.share_ppm, plan.tightened.share_ppm)
    if not shares[0] <= shares[1] <= shares[2]:
        raise InvalidInput(f"{path}: shares must rise from reduced to normal to tightened, found {shares}")
    return plan
