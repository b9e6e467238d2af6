"""What one unit's answer says, fact by fact."""

from __future__ import annotations

from dataclasses import replace

import pytest

from station.canonical import canonical_json
from station.decision.decide import decide
from station.decision.model import Derogation, Disposition, GateState, Override, Reason, Signature
from station.decision.rules import load_rules
from station.inspection.facts import Answer, IdentityOutcome, Skipped, WeightJudgement, WeightVerdict
from station.inspection.plausibility import COMPLETE, EMPTY_BOX, PART_MISSING, WEIGHT_CHECK
from station.people.person import Role
from station.quantities import Money
from station.returns.model import Trait

D = Disposition
LIGHT = WeightJudgement(WeightVerdict.TOO_LIGHT, -42_000, 288_000, 6_000, "charging case")
HEAVY = WeightJudgement(WeightVerdict.TOO_HEAVY, 90_000, 288_000, 6_000, None)
EMPTY = WeightJudgement(WeightVerdict.EMPTY, -260_000, 288_000, 6_000, None)


def texts(reasons):
    return [reason.text for reason in reasons]


def raised(decision):
    return {gate.id for gate in decision.gates if gate.state is GateState.RAISED}


def test_the_drawn_unit_reads_like_the_drawing(decided):
    decision = decided(
        {"power": "no_charge", "seal": "broken", "look": "light_wear"},
        reason="defective",
        serial="HD7-22941",
        serial_found="hd7-22941 ",
    )
    assert decision.grade is not None
    assert decision.grade.code == "B"
    assert [(axis.axis, axis.level, axis.best) for axis in decision.grade.axes] == [
        ("function", 3, 6),
        ("cosmetics", 6, 9),
        ("packaging", 3, 5),
    ]
    assert decision.disposition is D.REFURBISH
    assert decision.tote == "R-14"
    assert texts(decision.reasons)[:2] == [
        "Does not charge: battery is repairable",
        "Cushion seal broken: not sold as new",
    ]
    assert texts(decision.reasons)[-1] == "Serial matches the order; weight as expected"
    assert decision.refund.amount == Money(12_900, "EUR")
    assert decision.refund.trail[0].text == "Refund in full: defective, within 30 days"
    assert decision.found_reason == "defective"
    assert decision.needs_confirm
    assert decision.second_look == ()
    # 62 % of 129.00 = 79.98; 2^(-14/720) of it is left after 14 days; less 3.00 handling; less 34 minutes at 0.40
    assert decision.alternatives[0].value == Money(7_998 - 107 - 300 - 34 * 40, "EUR")


@pytest.mark.parametrize(
    ("category", "tote"), [("electronics.audio", "S-05"), ("apparel", "S-02"), ("homeware", "S-06")]
)
def test_a_clean_unit_is_restocked_without_confirm(decided, category, tote):
    traits = (Trait.LITHIUM, Trait.HYGIENE) if category == "electronics.audio" else ()
    decision = decided(category=category, traits=traits)
    assert (decision.disposition, decision.tote) == (D.RESTOCK, tote)
    assert decision.grade is not None
    assert decision.grade.code == "A"
    assert not decision.needs_confirm
    assert decision.second_look == ()


def test_a_serial_nobody_read_is_not_said_to_match(decided):
    decision = decided(serial="HD7-22941")
    assert "Article matches the return; weight as expected" in texts(decision.reasons)
    assert not any("Serial matches" in text for text in texts(decision.reasons))


def test_a_serial_that_differs_is_held_even_where_the_desk_says_match(decided):
    decision = decided(serial="HD7-22941", serial_found="HD7-1")
    assert decision.disposition is D.QUARANTINE
    assert decision.refund.decision == "manual"
    assert "Serial number differs from the order" in texts(decision.second_look)


@pytest.mark.parametrize(
    ("answers", "traits"),
    [
        ({"power": "swollen"}, (Trait.LITHIUM,)),
        ({"power": "works", "look": "as_new"}, (Trait.LITHIUM, Trait.RECALLED)),
        ({"power": "cannot_tell", "look": "as_new"}, (Trait.LITHIUM,)),
    ],
    ids=["swollen", "recalled", "nobody could tell"],
)
def test_unsafe_lithium_goes_into_the_fire_safe_box(decided, answers, traits):
    decision = decided(answers, traits=traits)
    assert decision.disposition is D.QUARANTINE
    assert decision.tote == "H-01"
    assert decision.gates[0].id == "lithium"
    assert decision.needs_confirm
    assert all(not way.allowed for way in decision.alternatives if way.disposition is not D.QUARANTINE)
    assert {way.disposition for way in decision.alternatives} >= set(D) - {D.MISSING}


def test_lithium_in_goods_whose_protocol_never_asks_is_held(decided):
    decision = decided({"look": "as_new"}, category="apparel", traits=(Trait.LITHIUM,))
    assert decision.disposition is D.QUARANTINE
    assert "Nobody checked the battery: treated as damaged" in texts(decision.reasons)


def test_broken_hygiene_seal_is_never_restocked(decided):
    decision = decided({"power": "works", "seal": "broken", "look": "as_new"})
    assert raised(decision) == {"hygiene"}
    assert decision.disposition not in (D.RESTOCK, D.REPACKAGE)
    restock = next(way for way in decision.alternatives if way.disposition is D.RESTOCK)
    assert (restock.allowed, restock.reason.text) == (False, "Hygiene seal broken: not sold as new")


@pytest.mark.parametrize("data", ["not_wiped", "cannot_tell", "locked"])
def test_a_phone_not_proven_wiped_is_not_passed_on(decided, data):
    decision = decided({"power": "works", "data": data, "look": "as_new"}, category="electronics.phone", traits=())
    assert "data_bearing" in raised(decision)
    assert decision.disposition in (D.REFURBISH, D.QUARANTINE)
    wiped = decided({"power": "works", "data": "wiped", "look": "as_new"}, category="electronics.phone", traits=())
    assert wiped.disposition is D.RESTOCK


def test_apparel_is_destroyed_or_recycled_only_with_a_recorded_permission(decided):
    soaked = {"look": "damaged", "damage": "soaked"}
    without = decided(soaked, category="apparel", traits=())
    assert without.disposition is D.QUARANTINE
    assert any("without a recorded permission" in text for text in texts(without.reasons))
    empty = decided(soaked, category="apparel", traits=(), derogations=(Derogation("destruction_ban", " "),))
    assert empty.disposition is D.QUARANTINE
    leads = tuple(Signature(name, (Role.LEAD,)) for name in ("ana", "bo"))
    permission = Derogation("destruction_ban", "D-17", "beyond_repair", leads)
    allowed = decided(soaked, category="apparel", traits=(), derogations=(permission,))
    assert allowed.disposition in (D.RECYCLE, D.DESTROY)
    for lacking in (
        {"kind": ""},
        {"kind": "too_dear"},
        {"signed": ()},
        {"signed": leads[:1]},
        {"signed": leads[:1] * 2},
    ):
        less = replace(permission, **lacking)
        assert decided(soaked, category="apparel", traits=(), derogations=(less,)).disposition is D.QUARANTINE
    other = decided(soaked, category="apparel", traits=(), derogations=(replace(permission, gate="contaminated"),))
    assert other.disposition is D.QUARANTINE


@pytest.mark.parametrize(
    ("identity", "disposition", "refund"),
    [
        (IdentityOutcome.WRONG_ITEM, D.QUARANTINE, "manual"),
        (IdentityOutcome.WRONG_SERIAL, D.QUARANTINE, "manual"),
        (IdentityOutcome.UNEXPECTED, D.QUARANTINE, "manual"),
        (IdentityOutcome.UNKNOWN, D.QUARANTINE, "manual"),
        (IdentityOutcome.MISSING, D.MISSING, "none"),
    ],
)
def test_identity_outranks_everything(decided, identity, disposition, refund):
    decision = decided(identity=identity)
    assert decision.disposition is disposition
    assert decision.refund.decision == refund
    assert decision.second_look
    assert decision.needs_confirm
    bare = decided(identity=identity, item=None, line=None, authorisation=None, protocol=None, answers=(), weight=None)
    assert bare.disposition is disposition
    assert not any("fraud" in text.lower() or "stolen" in text.lower() for text in texts(bare.second_look))


def test_what_no_rule_covers_is_held_with_the_reason(decided, case, rules):
    unmapped = decided(category=None, answers=())
    assert unmapped.reasons[0].text == "The article has no category: held until it is mapped"
    assert unmapped.disposition is D.QUARANTINE
    garden = decided(category="garden", answers=())
    assert (garden.disposition, garden.reasons[0].text) == (
        D.QUARANTINE,
        "No protocol covers 'garden': held until there is one",
    )
    assert "No policy 'smal_brand'" in decided(policy="smal_brand").reasons[0].text
    assert "No grading scheme 'letters'" in decided(scheme="letters").reasons[0].text
    assert decide(replace(case(), merchant=None), rules).disposition is D.QUARANTINE


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"power": "works", "seal": "intact"}, "Not answered: How does it look?"),
        ({"power": "works", "seal": "intact", "look": "shiny"}, "Unknown answer 'shiny'"),
        ({"power": "works", "seal": "intact", "look": "as_new", "smell": "fine"}, "unknown question 'smell'"),
    ],
)
def test_contradictory_answers_are_held(decided, answers, why):
    decision = decided(answers)
    assert decision.disposition is D.QUARANTINE
    assert decision.grade is None
    assert why in decision.reasons[0].text
    assert decision.refund.decision == "manual"


def test_two_answers_to_one_question_are_held_and_the_worse_one_still_raises_its_gate(decided):
    both = (Answer("power", "works", "key"), Answer("power", "swollen", "key"), Answer("look", "as_new", "key"))
    decision = decided(answers=both, traits=(Trait.LITHIUM,))
    assert {"answers", "lithium"} <= raised(decision)
    assert decision.tote == "H-01"


def test_an_unasked_answer_raises_but_never_clears(decided, case, rules):
    # "seal" is not asked without the hygiene trait, "look" not after "swollen".
    raises = decided({"power": "works", "look": "as_new", "seal": "broken"}, traits=(Trait.LITHIUM,))
    assert {"answers", "hygiene"} <= raised(raises)
    unasked = case({"power": "swollen", "look": "as_new"}, traits=(Trait.LITHIUM,))
    assert "answers" in raised(decide(unasked, rules))


def test_a_shortcut_is_refused_where_the_customer_names_a_fault(decided):
    fine = decided(given_by="shortcut:RSC-CLEAN")
    assert fine.disposition is D.RESTOCK
    refused = decided(given_by="shortcut:RSC-CLEAN", reason="defective")
    assert refused.disposition is D.QUARANTINE
    assert "cannot answer a return declared as defective" in refused.reasons[0].text
    wrong = decided({"power": "works", "seal": "intact", "look": "light_wear"}, given_by="shortcut:RSC-CLEAN")
    assert wrong.disposition is D.QUARANTINE
    assert decided(given_by="shortcut:RSC-GOLD").disposition is D.QUARANTINE


@pytest.mark.parametrize("weight", [LIGHT, HEAVY, EMPTY], ids=lambda weight: weight.verdict)
def test_an_unexplained_weight_is_held_for_a_second_look(decided, weight):
    decision = decided(weight=weight)
    assert decision.disposition is D.QUARANTINE
    assert raised(decision) == {"weight"}
    assert decision.refund.decision == "manual"
    assert len(decision.second_look) >= 1


def test_the_second_look_names_the_part_that_may_be_missing(decided):
    assert "42 g lighter than expected: is the charging case inside?" in texts(decided(weight=LIGHT).second_look)


def test_a_weight_that_the_inspector_explained_is_not_held(decided):
    clean = {"power": "works", "seal": "intact", "look": "as_new"}
    complete = decided({**clean, WEIGHT_CHECK: COMPLETE}, weight=LIGHT)
    assert complete.disposition is D.RESTOCK
    assert complete.second_look
    assert complete.needs_confirm
    missing = decided({**clean, WEIGHT_CHECK: PART_MISSING}, weight=LIGHT)
    assert missing.disposition is D.REFURBISH
    assert missing.found_reason == "missing_parts"
    by_protocol = decided({**clean, "look": "part_missing"}, weight=LIGHT)
    assert "weight" not in raised(by_protocol)
    assert decided({**clean, WEIGHT_CHECK: EMPTY_BOX}).disposition is D.QUARANTINE
    assert decided({**clean, WEIGHT_CHECK: "whatever"}).disposition is D.QUARANTINE
    heavy_and_missing = decided({**clean, "look": "part_missing"}, weight=HEAVY)
    assert "weight" in raised(heavy_and_missing)


def test_evidence_that_is_lacking_asks_for_a_second_look(decided):
    skipped = decided(weight=None, skipped=(Skipped("weight", "scale broken"), Skipped("photo:serial_label", "camera")))
    assert texts(skipped.second_look) == [
        "The weight was skipped: scale broken",
        "Photo 'serial label' was skipped: camera",
    ]
    assert skipped.disposition is D.RESTOCK
    assert skipped.needs_confirm
    assert texts(decided(weight=None).second_look) == ["No weight was taken"]


def test_second_look_for_value_flags_and_disagreement(decided):
    assert "Worth 300.00 EUR" in texts(decided(paid=Money(30_000, "EUR")).second_look)[0]
    assert decided(paid=Money(29_999, "EUR")).second_look == ()
    asked = decided(flags=(Reason("asked", "The inspector asks for a second look"),))
    assert texts(asked.second_look) == ["The inspector asks for a second look"]
    no_fault = decided(reason="defective")
    assert no_fault.found_reason == "no_fault_found"
    assert texts(no_fault.second_look) == ["Customer says defective; found here: no fault found"]
    right = decided(reason="wrong_item")
    assert right.found_reason == "right_item_found"
    assert right.second_look
    assert decided(reason="something_of_the_merchant").second_look == ()


def test_an_override_moves_the_unit_only_where_no_gate_forbids_it(decided):
    chosen = decided(override=Override(D.LIQUIDATE, "buyer waits"))
    assert chosen.disposition is D.LIQUIDATE
    assert chosen.reasons[0].text == "Liquidate chosen by a person: buyer waits"
    assert chosen.needs_confirm
    assert decided(override=Override(D.QUARANTINE, "smells odd")).disposition is D.QUARANTINE
    broken = {"power": "works", "seal": "broken", "look": "as_new"}
    refused = decided(broken, override=Override(D.RESTOCK, "looks fine to me"))
    assert refused.disposition is D.REFURBISH
    assert any("Restock was asked for and is not possible" in text for text in texts(refused.second_look))
    swollen = decided({"power": "swollen"}, traits=(Trait.LITHIUM,), override=Override(D.SHIP_BACK, "customer insists"))
    assert swollen.disposition is D.QUARANTINE
    assert decided(override=Override(D.LIQUIDATE, "  ")).disposition is D.RESTOCK
    assert decided(override=Override(D.MISSING, "gone")).disposition is D.RESTOCK


def test_without_a_price_nothing_has_a_value_and_the_rule_order_decides(decided):
    decision = decided(price=None)
    assert decision.disposition is D.RESTOCK
    assert all(way.value is None for way in decision.alternatives)
    assert "Restock comes first by rule: no values known" in texts(decision.reasons)
    worn = decided({"power": "works", "seal": "broken", "look": "light_wear"}, price=None)
    assert worn.disposition is D.REFURBISH
    exotic = decided(price=Money(12_900, "NOK"))
    assert exotic.alternatives[0].value is None
    assert exotic.disposition is D.RESTOCK


def test_goods_whose_refund_is_refused_still_belong_to_the_customer(decided):
    late = decided(delivered_days_ago=45)
    assert (late.refund.decision, late.refund.amount) == ("none", Money(0, "EUR"))
    assert late.disposition is D.SHIP_BACK
    restock = next(way for way in late.alternatives if way.disposition is D.RESTOCK)
    assert restock.reason.text == "The refund is refused: the goods still belong to the customer"
    swollen = decided({"power": "swollen"}, traits=(Trait.LITHIUM,), delivered_days_ago=45, reason="unwanted")
    assert swollen.disposition is D.QUARANTINE
    waits = decided(delivered_days_ago=400, policy="customer_first")
    assert (waits.refund.decision, waits.disposition) == ("manual", D.QUARANTINE)


def test_same_case_and_rules_give_the_same_bytes(case, rules):
    unit = case({"power": "no_charge", "seal": "broken", "look": "light_wear"}, reason="defective")
    first = canonical_json(decide(unit, rules))
    assert first == canonical_json(decide(unit, rules))
    assert first == canonical_json(decide(unit, load_rules()))
    assert first != canonical_json(decide(replace(unit, answers=unit.answers[:2]), rules))


def test_versions_name_what_was_used(decided, rules):
    versions = dict(decided().versions)
    protocol = rules.protocol("electronics.audio", 2)
    assert versions["protocol"] == f"electronics.audio@2 {protocol.sha256}"
    assert set(versions) == {"protocol", "scheme", "policy", "axes", "gates", "routes", "reasons", "totes"}
    assert all(len(text.split(" ")[1]) == 64 for text in versions.values())
