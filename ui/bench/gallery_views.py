"""Realistic views of every state, for looking at the screens and for their tests. No device, no store, no desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from station.decision.model import (
    Alternative,
    AxisLevel,
    Decision,
    Disposition,
    Gate,
    GateState,
    Grade,
    Reason,
    Refund,
)
from station.identify.commands import Command
from station.inspection.facts import (
    IdentityOutcome,
    Photo,
    StableSource,
    WeightJudgement,
    WeightReading,
    WeightVerdict,
)
from station.inspection.ports import RecentUnit, ShiftFigures
from station.inspection.protocol import Choice, Expects, Kind, NumberRule, Question, Rework, Shortcut, Shot, Takes
from station.inspection.view import Band, BenchView, ItemCard, Mismatch, Notice, ShotSlot, State, Step
from station.quantities import Money
from ui.bench.protocol_words import map_texts

NOW = datetime(2026, 3, 12, 9, 17, 30, tzinfo=UTC)

C = Command
_FLOW = (C.PARK, C.SECOND_LOOK, C.BACK, C.UNDO, C.HELP)

HEADPHONES = ItemCard(
    title="Halden ANC headphones, black",
    picture="headphones.png",
    sku="HAL-ANC-BK",
    gtin="04260123456788",
    rma="RMA-2026-004711",
    merchant="Nordlicht Audio",
    declared_reason="defective",
    comment="stopped charging",
    ordered_at=NOW - timedelta(days=12),
    delivered_at=NOW - timedelta(days=9),
    paid=Money(12900, "EUR"),
    policy="small_brand",
    policy_days=30,
    serial="HD7-22941",
    position=1,
    of=1,
)
SHIRT = replace(
    HEADPHONES,
    title="Linen shirt, sand, size M",
    picture=None,
    sku="LIN-SAND-M",
    gtin="04012345678901",
    rma="RMA-2026-004802",
    merchant="Kattun & Söhne",
    declared_reason="size_too_small",
    comment=None,
    paid=Money(3990, "EUR"),
    policy="customer_first",
    policy_days=365,
    serial=None,
    of=3,
)
TROUSERS = replace(SHIRT, title="Chino trousers, navy, 32/34", sku="CHI-NAVY-3234", gtin="04012345678918", position=2)
BELT = replace(SHIRT, title="Woven belt, brown", sku="BELT-BR-95", gtin="04012345678925", position=3)

_SHOTS = (
    Shot("front", "Front", "Lay it down, front up"),
    Shot("serial", "Serial label", "Lay it flat, label up"),
    Shot("cushions", "Cushions", "Turn the cushions up"),
)
_SHORTCUTS = (
    Shortcut("RSC-CLEAN", "clean", {}),
    Shortcut("RSC-SEALED", "sealed", {}),
)
SEAL = Question(
    "seal",
    "Is the ear cushion seal intact?",
    "Hygiene rule: a broken seal is never restocked",
    (
        Choice("intact", "Intact", "film still closed all round"),
        Choice("broken", "Broken or missing", "film torn, opened or gone"),
        Choice("unsure", "Cannot tell", "goes to a second look"),
    ),
)
WEAR = Question(
    "wear",
    "How worn is it?",
    "What a buyer sees at arm's length decides",
    (
        Choice("none", "Like new", "no trace of use"),
        Choice("light", "Light wear", "fine scratches, seen close up"),
        Choice("clear", "Clear wear", "scratches or scuffs at arm's length"),
        Choice("damage", "Damaged", "crack, dent, tear or missing part"),
        Choice("unsure", "Cannot tell", "goes to a second look"),
    ),
)
PICTURED = replace(
    SEAL,
    choices=(
        replace(SEAL.choices[0], picture="seal-intact.png"),
        replace(SEAL.choices[1], picture="seal-broken.png"),
        SEAL.choices[2],
    ),
)
BATTERY = Question(
    "battery",
    "How much does the battery hold?",
    "Settings, battery, health",
    (
        Choice("good", "Good", "80 % or more", ranges=((80, 100),)),
        Choice("weak", "Weak", "below 80 %", ranges=((0, 79),)),
        Choice("unsure", "Not shown", "the phone does not say"),
    ),
    kind=Kind.NUMBER,
    number=NumberRule("%", 0, 0, 100),
)
SERIAL = Question(
    "serial",
    "Which serial number is on it?",
    "It must be the one that was sold",
    (
        Choice("same", "Same", "", takes=Takes.SAME),
        Choice("other", "Other", "", takes=Takes.DIFFERENT),
        Choice("unknown", "Not known", "", takes=Takes.UNKNOWN),
        Choice("unreadable", "Cannot be read", "scratched off or gone"),
    ),
    kind=Kind.SCAN,
    expects=Expects.SERIAL,
)
NOTE = Question(
    "note",
    "What is broken?",
    "The vendor asks for it",
    (Choice("said", "Said", "", takes=Takes.TEXT), Choice("nothing", "Nothing to say", "leave it empty")),
    kind=Kind.TEXT,
)
WIPE = Question(
    "wipe",
    "Is it clean now?",
    "Dust looks like a scratch",
    (Choice("yes", "Yes", "as new now"), Choice("no", "No", "the mark stays")),
    kind=Kind.YES_NO,
    rework=Rework("Wipe the screen", 2),
)
WEIGHT_QUESTION = Question(
    "weight_check",
    "Is the charging case inside?",
    "",
    (
        Choice("all_there", "All there", "nothing is missing, go on"),
        Choice("part_missing", "Part missing", "charging case is not inside"),
        Choice("weigh_again", "Weigh again", "it did not lie free on the scale"),
    ),
)
RECENT = (
    RecentUnit("1", "Halden ANC headphones, black", "B", Disposition.REFURBISH, "R-14", False),
    RecentUnit("2", "Linen shirt, sand, size M", "A", Disposition.RESTOCK, "S-02", False),
    RecentUnit("3", "Desk lamp Orb", None, Disposition.QUARANTINE, "Q-01", True),
    RecentUnit("4", "Trail shoe 42", "A", Disposition.RESTOCK, "S-02", False),
    RecentUnit("5", "Power bank 20k", "D", Disposition.QUARANTINE, "Q-03", True),
)
FIGURES = ShiftFigures(units=214, this_hour=37, median_seconds=91, parked=3)


def _photo(shot: str, sharpness: int = 640) -> Photo:
    return Photo(shot.ljust(64, "0"), 182_000, 1920, 1080, shot, NOW, sharpness, 128, "camera-1")


def weight(gross_mg: int) -> WeightReading:
    """An accepted weight of a bench scale with 1 g steps."""
    return WeightReading(gross_mg, StableSource.SCALE, "g", 1000, b"S S     286 g\r\n", "scale-1", NOW)


def _slots(taken: int) -> tuple[ShotSlot, ...]:
    return tuple(ShotSlot(shot, _photo(shot.id) if n < taken else None) for n, shot in enumerate(_SHOTS))


_OK = WeightJudgement(WeightVerdict.PLAUSIBLE, -2_000, 288_000, 6_000, None)
_LIGHT = WeightJudgement(WeightVerdict.TOO_LIGHT, -42_000, 288_000, 6_000, "charging case")

_EUR = "EUR"


def _way(disposition: Disposition, minor: int, why: str = "", *, allowed: bool = True) -> Alternative:
    return Alternative(disposition, Money(minor, _EUR), allowed, Reason(disposition.value, why or "by value"))


DECISION = Decision(
    grade=Grade(
        "B",
        "Works after repair, light wear",
        "standard",
        3,
        (
            AxisLevel("function", 3, 6, "works after repair"),
            AxisLevel("cosmetics", 7, 9, "light wear"),
            AxisLevel("completeness", 2, 3, "all parts, no box"),
        ),
    ),
    gates=(),
    disposition=Disposition.REFURBISH,
    reasons=(
        Reason("repair", "Does not charge: the battery is repairable at 9.20 €"),
        Reason("seal", "Cushion seal broken: not sold as new"),
        Reason("identity", "Serial matches the order; weight as expected"),
    ),
    alternatives=(
        _way(Disposition.REFURBISH, 4120),
        _way(Disposition.LIQUIDATE, 1800),
        _way(Disposition.RETURN_TO_VENDOR, 1260),
        _way(Disposition.RECYCLE, -90),
        _way(Disposition.RESTOCK, 11_900, "hygiene seal is broken", allowed=False),
    ),
    refund=Refund(Money(12900, _EUR), "full", (Reason("full", "In full: defective, within 30 days"),)),
    tote="R-14",
    found_reason="defective",
    second_look=(),
    needs_confirm=True,
    versions=(("protocol", "audio@4 ab12"),),
)
RESTOCK = replace(
    DECISION,
    grade=Grade(
        "A", "As new, complete", "standard", 3, (AxisLevel("function", 6, 6, ""), AxisLevel("cosmetics", 9, 9, ""))
    ),
    disposition=Disposition.RESTOCK,
    reasons=(
        Reason("clean", "Inspected and clean: sold as new"),
        Reason("identity", "Weight and code are as ordered"),
    ),
    alternatives=(
        _way(Disposition.RESTOCK, 3490),
        _way(Disposition.LIQUIDATE, 1100),
        _way(Disposition.DONATE, -120),
    ),
    refund=Refund(Money(3990, _EUR), "full", (Reason("full", "In full: within 365 days, on receipt"),)),
    tote="S-02",
    needs_confirm=False,
)
_SWOLLEN = Reason("lithium", "The battery is swollen: fire hazard, never by air, never back on a shelf")
HOLD = replace(
    DECISION,
    grade=None,
    gates=(Gate("lithium", GateState.RAISED, _SWOLLEN, (Disposition.RESTOCK,), Disposition.QUARANTINE),),
    disposition=Disposition.QUARANTINE,
    reasons=(_SWOLLEN, Reason("box", "It goes into the fire-proof box at the end of the line")),
    alternatives=(
        Alternative(Disposition.QUARANTINE, Money(-450, _EUR), True, Reason("q", "required")),
        _way(Disposition.REFURBISH, 4120, "damaged lithium battery", allowed=False),
        _way(Disposition.RECYCLE, -90, "damaged lithium battery", allowed=False),
    ),
    refund=Refund(None, "manual", (Reason("manual", "The price paid is not known here"),)),
    tote="Q-03",
    second_look=(Reason("lithium_look", "damaged lithium battery"),),
)


def _base(state: State, step: Step, notice: Notice, actions: tuple[Command, ...], **more: object) -> BenchView:
    view = BenchView(state, step, notice, actions, recent=RECENT, figures=FIGURES, undo_depth=7)
    if state is not State.IDLE:
        view = replace(view, item=HEADPHONES, unit_started_at=NOW - timedelta(seconds=42))
    return replace(view, **more)  # type: ignore[arg-type]


def _weighed(view: BenchView, gross_mg: int = 286_000, judgement: WeightJudgement = _OK) -> BenchView:
    return replace(view, weight=weight(gross_mg), judgement=judgement, expected_mg=288_000, tolerance_mg=6_000)


def _decided(state: State, notice: Notice, actions: tuple[Command, ...], decision: Decision) -> BenchView:
    view = _base(state, Step.DECISION, notice, actions, decision=decision, lpn="LPN7Q2K9", serial_found="HD7-22941")
    view = _weighed(replace(view, shots=_slots(3)))
    return replace(view, unit_seconds=84) if state is State.DONE else view


def _n(band: Band, code: str, **facts: str) -> Notice:
    return Notice(band, code, facts)


def _views() -> dict[str, BenchView]:
    idle = _base(State.IDLE, Step.PARCEL, _n(Band.IDLE, "scan_parcel"), (C.NO_LABEL, C.UNDO, C.HELP))
    item_actions = (C.MISSING, C.PARK, C.BACK, C.UNDO, C.HELP)
    expected = {"title": HEADPHONES.title, "rma": "RMA-2026-004711", "of": "1"}
    wrong_actions = (C.WRONG_ITEM, C.PARK, C.BACK, C.UNDO, C.HELP)
    mismatch = Mismatch(IdentityOutcome.WRONG_ITEM, (HEADPHONES,), "4006381333931", "Stabilo Boss set of 4", "pens.png")
    shortcut = (C.CLEAN, C.SEALED)
    waiting = _base(
        State.WEIGHT,
        Step.WEIGHT,
        _n(Band.IDLE, "put_on_scale", expected="288 g"),
        (*shortcut, C.SKIP, *_FLOW),
        shots=_slots(0),
        shortcuts=_SHORTCUTS,
        expected_mg=288_000,
        tolerance_mg=6_000,
        wants_weight=True,
    )
    photos = _weighed(
        _base(
            State.PHOTOS,
            Step.PHOTOS,
            _n(Band.IDLE, "take_photo", guide="Lay it flat, label up", number="2", count="3"),
            (C.PHOTO, *shortcut, C.SKIP, *_FLOW),
            shots=_slots(1),
            current_shot=_SHOTS[1],
            shortcuts=_SHORTCUTS,
            wants_photo=True,
        )
    )
    check = _weighed(
        _base(
            State.WEIGHT_CHECK,
            Step.WEIGHT,
            _n(Band.HOLD, "weight_check", difference="42 g", direction="lighter", part="charging case"),
            (C.CHOICE_1, C.CHOICE_2, C.CHOICE_3, *_FLOW),
            shots=_slots(0),
            question=WEIGHT_QUESTION,
        ),
        246_000,
        _LIGHT,
    )

    def ask(question: Question, number: int, count: int) -> BenchView:
        choices = (C.CHOICE_1, C.CHOICE_2, C.CHOICE_3, C.CHOICE_4, C.CHOICE_5)[: len(question.buttons)]
        if question.is_entered:
            choices = (C.CONFIRM, *choices)
        return _weighed(
            _base(
                State.QUESTIONS,
                Step.QUESTIONS,
                _n(Band.IDLE, "question", text=question.text, why=question.why),
                (*choices, *shortcut, C.PHOTO, *_FLOW),
                shots=_slots(3),
                question=question,
                question_number=number,
                question_count=count,
                shortcuts=_SHORTCUTS,
                serial_found="HD7-22941",
            )
        )

    facts = {"grade": "B", "disposition": "refurbish", "tote": "R-14", "why": DECISION.reasons[0].text}
    hold = {"disposition": "quarantine", "tote": "Q-03", "why": _SWOLLEN.text, "grade": ""}
    return {
        "01-idle": idle,
        "02-idle-first": replace(idle, recent=(), figures=ShiftFigures(0, 0, None, 0), actions=(C.NO_LABEL, C.HELP)),
        "03-parcel-unknown": replace(idle, notice=_n(Band.REJECT, "parcel_unknown", scanned="JJD0099887766554433")),
        "04-item": _base(State.ITEM, Step.ITEM, Notice(Band.IDLE, "scan_item", expected), item_actions),
        "05-item-of-three": _base(
            State.ITEM,
            Step.ITEM,
            _n(Band.IDLE, "scan_next_unit", done="0", of="3"),
            item_actions,
            item=SHIRT,
            others=(TROUSERS, BELT),
        ),
        "06-wrong-item": _base(
            State.MISMATCH,
            Step.ITEM,
            _n(Band.REJECT, "not_the_item", scanned="4006381333931", expected="4260123456788"),
            wrong_actions,
            mismatch=mismatch,
        ),
        "07-wrong-serial": _base(
            State.MISMATCH,
            Step.ITEM,
            _n(Band.REJECT, "wrong_serial", scanned="HD7-22914", expected="HD7-22941"),
            wrong_actions,
            mismatch=Mismatch(IdentityOutcome.WRONG_SERIAL, (HEADPHONES,), "HD7-22914", HEADPHONES.title, None),
        ),
        "08-item-unknown": _base(
            State.MISMATCH,
            Step.ITEM,
            _n(Band.REJECT, "item_unknown", scanned="010426999999999921SN000000000017"),
            wrong_actions,
            item=SHIRT,
            mismatch=Mismatch(
                IdentityOutcome.UNKNOWN, (SHIRT, TROUSERS, BELT), "010426999999999921SN000000000017", None, None
            ),
        ),
        "09-weight": waiting,
        "10-weight-check": check,
        "11-photos": photos,
        "12-question": ask(SEAL, 1, 3),
        "13-question-pictures": ask(PICTURED, 1, 3),
        "14-question-five": ask(WEAR, 2, 3),
        "15-shortcut-refused": replace(
            ask(SEAL, 1, 3),
            notice=_n(Band.REJECT, "shortcut_refused", label="Clean", why="the customer says: defective"),
        ),
        "22-number": ask(BATTERY, 2, 3),
        "23-scan": ask(SERIAL, 1, 2),
        "24-text": ask(NOTE, 3, 3),
        "25-rework": replace(
            ask(WIPE, 2, 3), notice=_n(Band.IDLE, "rework", task="Wipe the screen", text=WIPE.text, minutes="2")
        ),
        "26-entry-refused": replace(
            ask(BATTERY, 2, 3),
            notice=_n(Band.REJECT, "entry_refused", why="250 % cannot be: expected 0 % to 100 %"),
        ),
        "16-confirm": _decided(
            State.CONFIRM,
            Notice(Band.HOLD, "needs_confirm", facts),
            (C.CONFIRM, C.PHOTO, C.SECOND_LOOK, C.PARK, C.BACK, C.UNDO, C.HELP),
            DECISION,
        ),
        "17-done": _decided(
            State.DONE, Notice(Band.ACCEPT, "decided", facts), (C.REPRINT, C.NO_LABEL, C.UNDO, C.HELP), DECISION
        ),
        "18-done-more": replace(
            _decided(
                State.DONE,
                _n(Band.ACCEPT, "decided", grade="A", disposition="restock", tote="S-02"),
                (C.MISSING, C.REPRINT, C.NO_LABEL, C.UNDO, C.HELP),
                RESTOCK,
            ),
            item=SHIRT,
            others=(TROUSERS, BELT),
        ),
        "19-done-hold": _decided(
            State.DONE, Notice(Band.HOLD, "decided_hold", hold), (C.REPRINT, C.NO_LABEL, C.UNDO, C.HELP), HOLD
        ),
    }


VIEWS: dict[str, BenchView] = _views()
"""Name → view, in the order of the flow."""


def longer(text: str) -> str:
    """Text as a wordy language would have it: 40 % more, marked at both ends so that a cut shows."""
    letters = "äöüßéàñçłšğ"
    more = -(-len(text) * 2 // 5)
    tail = "".join(letters[i % len(letters)] if i % 8 else " " for i in range(1, more + 1))
    return f"⟦{text}{tail.rstrip()}⟧" if text.strip() else text


def wordy(view: BenchView, change: Callable[[str], str]) -> BenchView:
    """The same view as a translated protocol and catalogue would have it."""
    shown = map_texts(view, change)
    return replace(shown, item=replace(view.item, title=change(view.item.title))) if view.item else shown
