"""What a decision is made from and what comes out: values that explain themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import msgspec

from station.inspection.facts import Answer, IdentityOutcome, Skipped, WeightJudgement
from station.inspection.protocol import Protocol
from station.people.person import Role
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine


class Disposition(StrEnum):
    """Where the unit goes (DOMAIN.md). A decision, not EPCIS' state of the same name."""

    RESTOCK = "restock"
    REPACKAGE = "repackage"
    REFURBISH = "refurbish"
    LIQUIDATE = "liquidate"
    RETURN_TO_VENDOR = "return_to_vendor"
    DONATE = "donate"
    RECYCLE = "recycle"
    DESTROY = "destroy"
    QUARANTINE = "quarantine"
    """Includes *hold*: an unmapped article, a wrong item, an unclear gate."""
    MISSING = "missing"
    SHIP_BACK = "ship_back"


class Reason(msgspec.Struct, frozen=True):
    """One reason: a code for machines and a sentence for people, kept together for ever.

    A struct, not a dataclass: a decision makes dozens, and a frozen dataclass is ten times as slow to make.
    """

    code: str
    text: str
    """Plain English, complete without its context; screens may translate by code."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who stands behind an act, with the roles held at that moment."""

    person: str
    roles: tuple[Role, ...]
    proven: bool = True
    """By PIN, or by a password at the centre; False = a badge alone."""


@dataclass(frozen=True, slots=True)
class Derogation:
    """A recorded permission to pass one gate that the law or the policy lets a role pass."""

    gate: str
    """Gate id, e.g. ``destruction_ban``; only gates whose rule says so accept one."""
    reference: str
    """Where it is recorded: a document's number."""
    kind: str = ""
    """Which of the kinds that the gate's rule lists; empty = nobody said."""
    signed: tuple[Signature, ...] = ()


class GateActKind(StrEnum):
    """What a person can do to a gate besides answering questions."""

    PROOF = "proof"
    """A document proves it, e.g. a certificate of erasure."""
    RECALL_CONFIRMED = "recall_confirmed"
    RECALL_DENIED = "recall_denied"
    SETTLED = "settled"
    """A lead agrees that a finding that was taken back was wrong."""


@dataclass(frozen=True, slots=True)
class GateAct:
    """One act on one gate."""

    kind: GateActKind
    subject: str
    """Gate id; for a recall the notice's id."""
    reference: str = ""
    """The document's number; a proof without one proves nothing."""
    signed: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True)
class GoodsDate:
    """A date that the goods carry."""

    good_until: date | None
    """Last good day; None = there is a date, and nobody can read it."""
    source: str
    """Where it was read, e.g. ``(17)`` of the scan or ``entered``."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another inspection of the same unit."""

    inspection_id: str
    gates: tuple[Gate, ...]
    stands: bool
    """False = it was taken back, and this one corrects it."""


@dataclass(frozen=True, slots=True)
class Override:
    """A person chose another route than the one proposed. It never passes a gate."""

    disposition: Disposition
    reason: str
    """In the person's own words."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What was known of the day when the unit was decided; nothing known = no limits and no extra costs."""

    taken: tuple[tuple[Disposition, int], ...] = ()
    """Units that went this way already: today, or in the period of a quota."""
    places: tuple[tuple[Disposition, Money], ...] = ()
    """Price of a place on a way that is scarce (``station.decision.allocate``): what another unit would gain by it."""
    extra: tuple[tuple[Disposition, Money], ...] = ()
    """Costs of this very unit on a way, beyond the book's: a freight quote, a part to be bought. Below zero = less."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a decision may look at. The same case and rules give the same decision, byte for byte."""

    at: datetime
    identity: IdentityOutcome
    merchant: Merchant | None
    item: CatalogueItem | None
    authorisation: ReturnAuthorisation | None
    line: ReturnLine | None
    protocol: Protocol | None
    answers: tuple[Answer, ...]
    weight: WeightJudgement | None
    skipped: tuple[Skipped, ...] = ()
    flags: tuple[Reason, ...] = ()
    """Second looks that the bench or the inspector asks for (SECOND LOOK was pressed, the same photo twice …)."""
    derogations: tuple[Derogation, ...] = ()
    override: Override | None = None
    serial_found: str | None = None
    """Serial number read from the unit; None = nobody read one, so nobody may say that it matches."""
    floor: Floor = Floor()
    lot: str | None = None
    """Batch read from the unit, for recalls."""
    made: date | None = None
    """Day of making read from the unit, for recalls."""
    market: str = ""
    """Where it would be sold again, e.g. ``DE``; empty = not known."""
    dates: tuple[GoodsDate, ...] = ()
    gate_acts: tuple[GateAct, ...] = ()
    earlier: tuple[Earlier, ...] = ()


@dataclass(frozen=True, slots=True)
class AxisLevel:
    """One condition axis, e.g. function 3 of 6."""

    axis: str
    level: int
    best: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Grade:
    """A name that the scheme derives from the axes, with its written meaning."""

    code: str
    meaning: str
    scheme: str
    scheme_version: int
    axes: tuple[AxisLevel, ...]


class GateState(StrEnum):
    """A gate that was looked at."""

    CLEAR = "clear"
    RAISED = "raised"


class Gate(msgspec.Struct, frozen=True):
    """A rule of safety, law or honesty that nobody at the bench can talk past."""

    id: str
    state: GateState
    reason: Reason
    forbids: tuple[Disposition, ...]
    requires: Disposition | None = None


class Alternative(msgspec.Struct, frozen=True):
    """One route and what it is worth."""

    disposition: Disposition
    value: Money | None
    """Net value; None = cannot be computed (no price known)."""
    allowed: bool
    reason: Reason
    parts: tuple[tuple[str, int], ...] = ()
    """(what, minor units), costs below zero; they add up to the value. ``brings decay fee handling work freight carbon
    place extra``; what is zero is left out."""


class Lever(StrEnum):
    """What would have to change."""

    COST = "cost"
    """More cost on the chosen way, minor units: freight, handling, whatever."""
    WORK = "work"
    """Minutes of work, more or fewer (below zero)."""


@dataclass(frozen=True, slots=True)
class Flip:
    """The smallest change of one thing with which another way would have been chosen."""

    lever: Lever
    change: int
    to: Disposition
    reason: Reason


@dataclass(frozen=True, slots=True)
class Refund:
    """What the customer gets back."""

    amount: Money | None
    """None = cannot be decided here (nothing known that was paid); goes to a person."""
    decision: str
    """``full``, ``partial``, ``none`` or ``manual``."""
    trail: tuple[Reason, ...]
    """Every rule that was applied, in order."""
    parts: tuple[tuple[str, int], ...] = ()
    """(what, minor units), deductions below zero; they add up to the amount. Empty = not computed."""
    method: str = "original"
    """How it is paid: ``original``, ``credit`` (store credit) or ``exchange``."""
    tax: Money | None = None
    """Tax contained in the amount, as it was charged; None = unknown."""
    bonus: Money | None = None
    """On top of the amount where the customer takes store credit; never part of what was paid."""
    claw_back: Money | None = None
    """What was paid out already and is more than the amount; None = nothing."""
    settles: Money | None = None
    """The amount in the merchant's own currency, at the rate of the sale; None = same currency or rate unknown."""
    statement: str = ""
    """Written reason of the deductions for diminished value; empty = there are none."""


class Used(StrEnum):
    """The answer to "was it used?"."""

    UNUSED = "unused"
    USED = "used"
    CANNOT_SAY = "cannot_say"
    """Not every side of its condition was looked at, or it is not the article that crossed the border."""


@dataclass(frozen=True, slots=True)
class CustomsNote:
    """What a broker needs of the inspection to claim duties back. It claims nothing by itself."""

    reason_code: str
    """The merchant's code for why it came back; empty = none is given for this reason."""
    used: Used
    statement: str
    """One sentence for the file, with what it rests on."""
    entry: str
    """Number of the import declaration; empty = unknown."""
    commodity: str
    """Commodity code as declared then; empty = unknown."""
    duty: Money | None
    """Duty paid for this unit; None = unknown."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole answer for one unit."""

    grade: Grade | None
    """None where the unit could not be graded (unknown item, no protocol)."""
    gates: tuple[Gate, ...]
    disposition: Disposition
    reasons: tuple[Reason, ...]
    """Why this disposition, in plain words, most important first."""
    alternatives: tuple[Alternative, ...]
    """All routes, best first, forbidden ones included with the rule that forbids them."""
    refund: Refund
    tote: str
    """Where to put it, e.g. ``R-14``."""
    found_reason: str | None
    second_look: tuple[Reason, ...]
    """Why a second person should look; empty = nobody needs to."""
    needs_confirm: bool
    """A damaged or gated unit asks for an explicit CONFIRM; a clean one is confirmed by its last scan."""
    versions: tuple[tuple[str, str], ...]
    """(what, "id@version sha256") of protocol, scheme and policy used."""
    flips: tuple[Flip, ...] = ()
    """What would have had to be otherwise for another way; empty where money did not decide."""
    inputs: tuple[tuple[str, str], ...] = ()
    """(what, text) of what the money was computed from: price, paid, work, mass, dates."""
    customs: CustomsNote | None = None
    """None = nothing is known of a border."""
