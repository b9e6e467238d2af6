"""The gate book: what each gate asks for and forbids, as data with a floor in code that no file can lower."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Annotated, Literal

import msgspec

from station.decision.gate_machine import Machine
from station.decision.model import Disposition
from station.decision.scheme import Version
from station.errors import InvalidInput
from station.returns.model import Trait
from station.returns.policy import Line, Part, covers

_D = Disposition
_ALL = tuple(Disposition)

FLOOR: dict[str, tuple[Trait | None, frozenset[Disposition], Disposition | None]] = {
    "lithium": (
        Trait.LITHIUM,
        frozenset(_ALL) - {_D.QUARANTINE},
        _D.QUARANTINE,
    ),
    "recall": (
        Trait.RECALLED,
        frozenset(_ALL) - {_D.QUARANTINE},
        _D.QUARANTINE,
    ),
    "data_bearing": (
        Trait.DATA_BEARING,
        frozenset({_D.RESTOCK, _D.REPACKAGE, _D.LIQUIDATE, _D.DONATE}),
        None,
    ),
    "hygiene": (Trait.HYGIENE, frozenset({_D.RESTOCK, _D.REPACKAGE}), None),
    "expired": (None, frozenset({_D.RESTOCK, _D.REPACKAGE, _D.REFURBISH, _D.LIQUIDATE, _D.DONATE}), None),
    "destruction_ban": (Trait.DESTRUCTION_BAN, frozenset({_D.DESTROY}), None),
}
"""Gate → (trait that asks for it, the least it forbids, what it requires). A file may forbid more, never less."""

DEROGABLE = frozenset({"destruction_ban"})
"""Gates that a recorded permission may pass."""

IDENTITY, UNMAPPED, WEIGHT, ANSWERS = "identity", "unmapped", "weight", "answers"
"""Gates that are computed, not asked for by a trait; no file can redefine them."""

BLOCKS_REFUND = frozenset({IDENTITY, UNMAPPED, WEIGHT, ANSWERS})


@cache
def all_but(way: Disposition) -> tuple[Disposition, ...]:
    """Every way except one."""
    return tuple(disposition for disposition in _ALL if disposition is not way)


@lru_cache(maxsize=4096)
def _any_covers(prefixes: tuple[str, ...], category: str) -> bool:
    return any(covers(prefix, category) for prefix in prefixes)


class GateRule(Part, frozen=True, kw_only=True):
    """One gate of the file."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    trait: Trait | None = None
    categories: tuple[str, ...] = ()
    """Category prefixes that ask for it even where the catalogue forgot the trait."""
    proof: Literal["answer", "document", "none"] = "answer"
    """``answer``: an answer or a document can clear it; ``document``: only a document with its number and who stands
    behind it; ``none``: nothing at the bench can."""
    raised_with: tuple[Trait, ...] = ()
    """Traits that raise it whatever was answered."""
    forbids: tuple[Disposition, ...]
    requires: Disposition | None = None
    raised_text: Line
    """The rule in one sentence: why the ways it forbids are forbidden."""
    raised_with_text: str = ""
    """Why ``raised_with`` raises it."""
    unproven_text: Line
    clear_text: Line
    handling: str = ""
    derogable: bool = False
    derogation_kinds: tuple[str, ...] = ()
    """Kinds of permission that pass it; a permission must name one. Empty = any kind, or none named."""
    rest_life_days: dict[str, Annotated[int, msgspec.Meta(ge=0, le=3650)]] = msgspec.field(default_factory=dict)
    """Market → days that goods must at least be good for when they are sold again; ``default`` = all others."""
    quiet: bool = False
    """Raised on most units of its kind: shown, but asks nobody for an extra CONFIRM."""
    work_for: tuple[Disposition, ...] = ()
    """Ways that can remove what raised it, so they are never pointless."""
    our_error: bool = False
    """The customer owes nothing where this gate is raised."""

    @property
    def machine(self) -> Machine:
        if self.derogable:
            return Machine.PERMIT
        return Machine.STANDING if self.proof == "none" else Machine.PROOF

    def rest_life(self, market: str) -> int:
        return self.rest_life_days.get(market, self.rest_life_days.get("default", 0))

    @property
    def ways_forbidden(self) -> tuple[Disposition, ...]:
        """All that it forbids: where it requires one way, all others."""
        if self.requires is None:
            return self.forbids
        return all_but(self.requires)

    def asked_by(self, traits: tuple[str, ...], category: str | None) -> bool:
        if self.trait is not None and self.trait in traits:
            return True
        return bool(self.categories) and category is not None and _any_covers(self.categories, category)


class GateBook(Part, frozen=True, kw_only=True, tag_field="kind", tag="gates"):
    version: Version
    gates: tuple[GateRule, ...]
    sha256: str = ""

    def rule(self, gate_id: str) -> GateRule | None:
        for rule in self.gates:
            if rule.id == gate_id:
                return rule
        return None


def check_gates(book: GateBook, where: str) -> None:
    """Refuse a file that would lower the floor.

    Raises:
        InvalidInput: names the gate and what it must at least forbid.
    """
    ids = [rule.id for rule in book.gates]
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"{where}: a gate is there twice: {', '.join(ids)}")
    for gate_id in (IDENTITY, UNMAPPED, WEIGHT, ANSWERS):
        if gate_id in ids:
            raise InvalidInput(f"{where}: gate {gate_id!r} is computed and cannot be redefined; choose another id")
    for gate_id, (trait, least, requires) in FLOOR.items():
        rule = book.rule(gate_id)
        if rule is None:
            raise InvalidInput(f"{where}: gate {gate_id!r} is missing; it may be stricter, never absent")
        lacking = least - set(rule.ways_forbidden)
        if lacking:
            raise InvalidInput(f"{where}: gate {gate_id!r} must also forbid {', '.join(sorted(lacking))}")
        if trait is not None and rule.trait is not trait:
            raise InvalidInput(f"{where}: gate {gate_id!r} must be asked for by trait {trait.value!r}")
        if requires is not None and rule.requires is not requires:
            raise InvalidInput(f"{where}: gate {gate_id!r} must require {requires.value!r}")
        if gate_id == "recall" and rule.proof != "none":
            raise InvalidInput(f"{where}: gate 'recall' must have proof = 'none': no answer at the bench ends a recall")
    for rule in book.gates:
        if rule.requires not in (None, _D.QUARANTINE):
            raise InvalidInput(
                f"{where}: gate {rule.id!r} requires {rule.requires!r}; only 'quarantine' can be required"
            )
        if _D.QUARANTINE in rule.forbids:
            raise InvalidInput(f"{where}: gate {rule.id!r} forbids 'quarantine': a hold must always be possible")
        if rule.derogable and rule.id in FLOOR and rule.id not in DEROGABLE:
            raise InvalidInput(f"{where}: gate {rule.id!r} cannot be derogable")
        if rule.derogable and rule.id in FLOOR and not rule.derogation_kinds:
            raise InvalidInput(
                f"{where}: gate {rule.id!r} must list its 'derogation_kinds': a permission names its kind"
            )
