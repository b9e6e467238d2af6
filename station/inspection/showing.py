"""Draft → the one value a screen needs. Pure: the same draft shows the same screen, also after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from station.decision.model import Decision
from station.decision.rules import Rules
from station.identify.commands import BY_BARCODE, Command
from station.inspection.draft import Draft, LineState, Log, UnitDraft
from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.inspection.plausibility import WEIGHT_CHECK, weight_question
from station.inspection.ports import RecentUnit, ShiftFigures
from station.inspection.protocol import Choice, Protocol, Question, Shot
from station.inspection.recording import declared_reason, title_of, traits_of, weighed_as
from station.inspection.view import Band, BenchView, ItemCard, Mismatch, Notice, ShotSlot, State, Step
from station.quantities import format_mass

WEIGH_AGAIN = "weigh_again"
"""The one answer to the weight's question that is not a finding: it did not lie free on the scale."""

_CHOICES = (Command.CHOICE_1, Command.CHOICE_2, Command.CHOICE_3, Command.CHOICE_4, Command.CHOICE_5)

_STEPS = {
    State.IDLE: Step.PARCEL,
    State.ITEM: Step.ITEM,
    State.MISMATCH: Step.ITEM,
    State.WEIGHT: Step.WEIGHT,
    State.WEIGHT_CHECK: Step.WEIGHT,
    State.PHOTOS: Step.PHOTOS,
    State.QUESTIONS: Step.QUESTIONS,
    State.CONFIRM: Step.DECISION,
    State.DONE: Step.DECISION,
}


def view_of(
    *,
    draft: Draft,
    log: Log,
    protocol: Protocol,
    decision: Decision | None,
    notice: Notice | None,
    rules: Rules,
    recent: Sequence[RecentUnit],
    figures: ShiftFigures | None,
    can_undo: bool,
) -> BenchView:
    """Everything the screen shows now.

    Args:
        notice: a message that lies over the step and stays until answered; None = the step's own sentence.
    """
    unit = draft.unit
    question = question_of(draft, protocol)
    shot = current_shot(draft, protocol) if draft.state is State.PHOTOS else None
    total = len(_asked(draft, unit, protocol))
    answered = sum(1 for answer in unit.answers if answer.question != WEIGHT_CHECK) if unit is not None else 0
    item = weighed_as(unit.item, protocol) if unit is not None else None
    return BenchView(
        state=draft.state,
        step=_STEPS[draft.state],
        notice=notice or _own_notice(draft, protocol, question, shot, decision),
        actions=_actions(draft, protocol, question, can_undo),
        item=_shown_card(draft, rules),
        others=tuple(_card(draft, line, rules) for line in draft.open_lines[1:4]),
        mismatch=_mismatch(draft, rules),
        weight=unit.weight if unit is not None else None,
        judgement=unit.judgement if unit is not None else None,
        expected_mg=item.mass_mg if item is not None else None,
        tolerance_mg=item.mass_tolerance_mg if item is not None else None,
        shots=_slots(draft, protocol),
        current_shot=shot,
        question=question,
        question_number=answered + 1 if question is not None else 0,
        question_count=max(total, answered + 1) if question is not None else 0,
        shortcuts=protocol.shortcuts if draft.state in (State.WEIGHT, State.PHOTOS, State.QUESTIONS) else (),
        decision=decision,
        lpn=unit.lpn if unit is not None else None,
        serial_found=unit.serial_found if unit is not None else None,
        unit_seconds=_unit_seconds(log, unit),
        unit_started_at=unit.started_at if unit is not None else None,
        recent=tuple(recent),
        figures=figures,
        undo_depth=len(log.records) if log.records else int(can_undo),
        wants_weight=draft.state is State.WEIGHT,
        wants_photo=shot is not None,
        texts=protocol.texts,
    )


def question_of(draft: Draft, protocol: Protocol) -> Question | None:
    """The question on the screen: the flow's own about the weight, or the protocol's next open one."""
    unit = draft.unit
    if unit is None:
        return None
    if draft.state is State.WEIGHT_CHECK:
        return _weight_question(unit)
    if draft.state is not State.QUESTIONS:
        return None
    still_open = _open_questions(draft, unit, protocol)
    return still_open[0] if still_open else None


def current_shot(draft: Draft, protocol: Protocol) -> Shot | None:
    """The first shot that has neither a photo nor a reason why not."""
    return next((slot.shot for slot in _slots(draft, protocol) if slot.photo is None and not slot.skipped), None)


def _open_questions(draft: Draft, unit: UnitDraft, protocol: Protocol) -> tuple[Question, ...]:
    return protocol.open_questions(unit.answered, declared_reason(draft.line(unit.line)), traits_of(unit))


def _asked(draft: Draft, unit: UnitDraft | None, protocol: Protocol) -> tuple[str, ...]:
    if unit is None:
        return ()
    given = tuple(answer.question for answer in unit.answers if answer.question != WEIGHT_CHECK)
    return (*given, *(question.id for question in _open_questions(draft, unit, protocol)))


def _weight_question(unit: UnitDraft) -> Question | None:
    if unit.judgement is None:
        return None
    question = weight_question(unit.judgement)
    again = Choice(WEIGH_AGAIN, "Weigh again", "it did not lie free on the scale")
    return replace(question, choices=(*question.choices, again))


def _slots(draft: Draft, protocol: Protocol) -> tuple[ShotSlot, ...]:
    unit = draft.unit
    if unit is None or unit.identity is IdentityOutcome.MISSING:
        return ()
    shots = protocol.shots_for(declared_reason(draft.line(unit.line)), traits_of(unit), unit.answered)
    skipped = {skip.what for skip in unit.skipped}
    slots = []
    for shot in shots:
        photo = next((photo for photo in reversed(unit.photos) if photo.shot == shot.id), None)
        slots.append(ShotSlot(shot, photo, f"photo:{shot.id}" in skipped))
    known = {shot.id for shot in shots}
    extra = [photo for photo in unit.photos if photo.shot not in known]
    slots += [ShotSlot(Shot(f"extra-{i}", "More", "", protocol.shots[0].when), p) for i, p in enumerate(extra, 1)]
    return tuple(slots)


def _shown_card(draft: Draft, rules: Rules) -> ItemCard | None:
    unit = draft.unit
    if unit is not None:
        line = draft.line(unit.line)
        if line is not None:
            return _what_came(_card(draft, line, rules), unit, line)
        return ItemCard(
            title=title_of(unit, None),
            picture=unit.item.picture if unit.item is not None else None,
            sku=unit.item.sku if unit.item is not None else None,
            gtin=unit.gtin,
            rma=None,
            merchant=unit.item.merchant_id if unit.item is not None else None,
            declared_reason=None,
            comment=None,
            ordered_at=None,
            delivered_at=None,
            paid=None,
            policy=None,
            policy_days=None,
            serial=None,
            position=len(draft.confirmed) + (0 if unit.inspection_id else 1),
            of=max(1, len(draft.confirmed) + (0 if unit.inspection_id else 1)),
        )
    return _card(draft, draft.open_lines[0], rules) if draft.open_lines else None


def _what_came(card: ItemCard, unit: UnitDraft, line: LineState) -> ItemCard:
    """A wrong item is shown as what it is: weight and questions are its own, not those of the announced article."""
    if unit.identity not in (IdentityOutcome.WRONG_ITEM, IdentityOutcome.UNKNOWN):
        return card
    item = unit.item
    return replace(
        card,
        title=title_of(unit, line),
        picture=item.picture if item is not None else None,
        sku=item.sku if item is not None else None,
        gtin=unit.gtin,
        serial=None,
    )


def _card(draft: Draft, state: LineState, rules: Rules) -> ItemCard:
    parcel = draft.parcel
    authorisation = parcel.authorisation if parcel is not None else None
    merchant = parcel.merchant if parcel is not None else None
    policy = rules.policy(merchant.policy) if merchant is not None else None
    total = sum(line.line.quantity for line in draft.lines)
    done = sum(line.done_before for line in draft.lines) + len(draft.confirmed)
    unit = draft.unit
    current = done if unit is not None and unit.inspection_id is not None else done + 1
    return ItemCard(
        title=state.item.title if state.item is not None else state.line.sku,
        picture=state.item.picture if state.item is not None else None,
        sku=state.line.sku,
        gtin=state.item.gtins[0] if state.item is not None and state.item.gtins else None,
        rma=authorisation.id if authorisation is not None else None,
        merchant=merchant.name if merchant is not None else None,
        declared_reason=state.line.declared_reason,
        comment=state.line.comment,
        ordered_at=authorisation.ordered_at if authorisation is not None else None,
        delivered_at=authorisation.delivered_at if authorisation is not None else None,
        paid=state.line.paid,
        policy=policy.name if policy is not None else None,
        policy_days=policy.window_days(state.item.category if state.item else None) if policy is not None else None,
        serial=state.line.serial,
        position=min(current, total),
        of=total,
    )


def _mismatch(draft: Draft, rules: Rules) -> Mismatch | None:
    found = draft.mismatch
    if found is None or draft.state is not State.MISMATCH:
        return None
    same_line = [line for line in draft.open_lines if line.line.line == found.line]
    expected = same_line or list(draft.open_lines)
    return Mismatch(
        outcome=found.outcome,
        expected=tuple(_card(draft, line, rules) for line in expected[:3]),
        scanned_text=found.serial_found or found.text,
        scanned_title=found.item.title if found.item is not None else None,
        scanned_picture=found.item.picture if found.item is not None else None,
    )


def _own_notice(
    draft: Draft, protocol: Protocol, question: Question | None, shot: Shot | None, decision: Decision | None
) -> Notice:
    match draft.state:
        case State.IDLE:
            return Notice(Band.IDLE, "scan_parcel")
        case State.ITEM:
            return _item_notice(draft)
        case State.MISMATCH:
            return _mismatch_notice(draft)
        case State.WEIGHT:
            item = draft.unit.item if draft.unit is not None else None
            expected = format_mass(item.mass_mg) if item is not None and item.mass_mg is not None else ""
            return Notice(Band.IDLE, "put_on_scale", {"expected": expected})
        case State.WEIGHT_CHECK:
            return _weight_notice(draft)
        case State.PHOTOS if shot is not None:
            ids = [slot.shot.id for slot in _slots(draft, protocol)]
            number = str(ids.index(shot.id) + 1)
            return Notice(Band.IDLE, "take_photo", {"guide": shot.guide, "number": number, "count": str(len(ids))})
        case State.QUESTIONS if question is not None:
            return _question_notice(question)
        case _:
            return _decision_notice(draft, decision)


def _question_notice(question: Question) -> Notice:
    facts = {"text": question.text, "why": question.why}
    if question.rework is not None:
        facts |= {"task": question.rework.task, "minutes": str(question.rework.minutes)}
        return Notice(Band.IDLE, "rework", facts)
    return Notice(Band.IDLE, "question", facts)


def _item_notice(draft: Draft) -> Notice:
    parcel = draft.parcel
    if parcel is None or parcel.authorisation is None:
        return Notice(Band.IDLE, "unannounced_item")
    if draft.confirmed:
        total = sum(line.line.quantity for line in draft.lines)
        done = total - sum(draft.open_units(line) for line in draft.lines)
        return Notice(Band.IDLE, "scan_next_unit", {"done": str(done), "of": str(total)})
    first = draft.open_lines[0]
    return Notice(
        Band.IDLE,
        "scan_item",
        {
            "title": first.item.title if first.item is not None else first.line.sku,
            "rma": parcel.authorisation.id,
            "of": str(sum(draft.open_units(line) for line in draft.lines)),
        },
    )


def _mismatch_notice(draft: Draft) -> Notice:
    found = draft.mismatch
    if found is None:
        return Notice(Band.REJECT, "item_unknown", {"scanned": ""})
    if found.outcome is IdentityOutcome.WRONG_SERIAL:
        line = draft.line(found.line)
        expected = (line.line.serial if line is not None else None) or ""
        return Notice(Band.REJECT, "wrong_serial", {"scanned": found.serial_found or found.text, "expected": expected})
    if found.outcome is IdentityOutcome.UNKNOWN:
        return Notice(Band.REJECT, "item_unknown", {"scanned": found.text})
    first = draft.open_lines[0] if draft.open_lines else None
    gtin = first.item.gtins[0].lstrip("0") if first is not None and first.item and first.item.gtins else ""
    expected = gtin or (first.line.sku if first is not None else "")
    return Notice(Band.REJECT, "not_the_item", {"scanned": found.text, "expected": expected})


def _weight_notice(draft: Draft) -> Notice:
    judgement = draft.unit.judgement if draft.unit is not None else None
    difference = judgement.difference_mg if judgement is not None else None
    direction = "heavier" if judgement is not None and judgement.verdict is WeightVerdict.TOO_HEAVY else "lighter"
    return Notice(
        Band.HOLD,
        "weight_check",
        {
            "difference": format_mass(abs(difference)) if difference is not None else "",
            "direction": direction,
            "part": (judgement.missing_part or "") if judgement is not None else "",
        },
    )


def _decision_notice(draft: Draft, decision: Decision | None) -> Notice:
    unit = draft.unit
    if decision is None or unit is None:
        return Notice(Band.IDLE, "scan_parcel")
    facts = {
        "grade": decision.grade.code if decision.grade is not None else "",
        "disposition": decision.disposition.value,
        "tote": decision.tote,
        "why": decision.reasons[0].text if decision.reasons else "",
    }
    if draft.state is State.CONFIRM:
        return Notice(Band.HOLD, "needs_confirm", facts)
    if unit.identity is IdentityOutcome.MISSING:
        return Notice(Band.HOLD, "missing_recorded", {"title": title_of(unit, draft.line(unit.line))})
    if decision.disposition.value == "quarantine":
        return Notice(Band.HOLD, "decided_hold", facts)
    return Notice(Band.ACCEPT, "decided", facts)


def _actions(draft: Draft, protocol: Protocol, question: Question | None, can_undo: bool) -> tuple[Command, ...]:
    actions: list[Command] = []
    match draft.state:
        case State.IDLE:
            actions = [Command.NO_LABEL]
        case State.ITEM:
            actions = [*([Command.MISSING] if draft.open_lines else []), Command.PARK, Command.BACK]
        case State.MISMATCH:
            actions = [Command.WRONG_ITEM, Command.PARK, Command.BACK]
        case State.WEIGHT:
            actions = [*_shortcuts(protocol), Command.SKIP, Command.PARK, Command.SECOND_LOOK, Command.BACK]
        case State.PHOTOS:
            actions = [Command.PHOTO, *_shortcuts(protocol), Command.SKIP, Command.PARK, Command.SECOND_LOOK]
            actions.append(Command.BACK)
        case State.WEIGHT_CHECK | State.QUESTIONS:
            choices = _CHOICES[: len(question.buttons)] if question is not None else ()
            if question is not None and question.is_entered:
                choices = (Command.CONFIRM, *choices)
            shortcuts = _shortcuts(protocol) if draft.state is State.QUESTIONS else []
            photo = [Command.PHOTO] if draft.state is State.QUESTIONS else []
            actions = [*choices, *shortcuts, *photo, Command.PARK, Command.SECOND_LOOK, Command.BACK]
        case State.CONFIRM:
            actions = [Command.CONFIRM, Command.PHOTO, Command.SECOND_LOOK, Command.PARK, Command.BACK]
        case State.DONE:
            missing = [Command.MISSING] if draft.open_lines else []
            actions = [*missing, Command.REPRINT, Command.NO_LABEL]
    if can_undo:
        actions.append(Command.UNDO)
    return (*actions, Command.HELP)


def _shortcuts(protocol: Protocol) -> list[Command]:
    return [BY_BARCODE[shortcut.code].command for shortcut in protocol.shortcuts if shortcut.code in BY_BARCODE]


def _unit_seconds(log: Log, unit: UnitDraft | None) -> int | None:
    if unit is None or unit.inspection_id is None or not log.records:
        return None
    return max(0, int((log.records[-1].at - unit.started_at).total_seconds()))
