"""No input whatever reaches a disposition that a gate forbids: every branch, and anything hypothesis can think of.

What is forbidden is written here a second time, straight from DOMAIN.md, so that a slip in the gate code or file shows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from itertools import cycle

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.canonical import canonical_json
from station.decision.cover import simulated_case
from station.decision.decide import decide
from station.decision.gates import GateBook
from station.decision.model import Case, Decision, Derogation, Disposition, GateState, Override, Reason
from station.decision.rules import Rules, load_rules
from station.inspection.facts import Answer, IdentityOutcome, Skipped, WeightJudgement, WeightVerdict
from station.inspection.plausibility import WEIGHT_CHECK
from station.inspection.protocol_walk import ALL_TRAITS, Branch, Situation, branches, conditions, trait_mixes
from station.quantities import Money
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait

D = Disposition
RULES = load_rules()
RESALE = {D.RESTOCK, D.REPACKAGE}
NOT_HELD = set(D) - {D.QUARANTINE}


def under(category: str | None, *prefixes: str) -> bool:
    return any(category == prefix or (category or "").startswith(prefix + ".") for prefix in prefixes)


def said(case: Case) -> tuple[set[str], set[str]]:
    """Gates that any answer raises, and gates that some answer claims to clear."""
    raised: set[str] = set()
    cleared: set[str] = set()
    for answer in case.answers:
        question = case.protocol.question(answer.question) if case.protocol is not None else None
        choice = question.choice(answer.choice) if question is not None else None
        if choice is not None:
            raised.update(choice.gates)
            cleared.update(choice.clears)
    return raised, cleared


def forbidden(case: Case) -> set[Disposition]:
    """What must not happen to this unit, read from its facts alone."""
    if case.identity is IdentityOutcome.MISSING:
        return set(D) - {D.MISSING}
    out = {D.MISSING}
    if case.identity is not IdentityOutcome.MATCH:
        return NOT_HELD
    raised, cleared = said(case)
    traits = set(case.item.traits) if case.item is not None else set()
    category = case.item.category if case.item is not None else None
    if case.item is None or category is None or case.protocol is None or case.merchant is None:
        out |= NOT_HELD
    battery = Trait.LITHIUM in traits or under(category, "electronics.power_bank", "electronics.phone")
    if "lithium" in raised or (battery and ("lithium" not in cleared or Trait.RECALLED in traits)):
        out |= NOT_HELD
    if "lithium_fault" in raised:
        out |= {D.RESTOCK, D.REPACKAGE, D.LIQUIDATE, D.DONATE, D.RETURN_TO_VENDOR, D.SHIP_BACK}
    if Trait.RECALLED in traits:
        out |= NOT_HELD
    stores = Trait.DATA_BEARING in traits or under(category, "electronics.phone", "electronics.tablet")
    if "data_bearing" in raised or (stores and "data_bearing" not in cleared):
        out |= RESALE | {D.LIQUIDATE, D.DONATE}
    sealed = Trait.HYGIENE in traits or under(category, "hygiene", "cosmetics")
    if "hygiene" in raised or (sealed and "hygiene" not in cleared):
        out |= RESALE
    if raised & {"expired", "contaminated"}:
        out |= RESALE | {D.REFURBISH, D.LIQUIDATE, D.DONATE}
    permitted = any(d.gate == "destruction_ban" and d.reference.strip() for d in case.derogations)
    if (Trait.DESTRUCTION_BAN in traits or under(category, "apparel", "footwear")) and not permitted:
        out |= {D.DESTROY}
    answered = [answer for answer in case.answers if answer.question == WEIGHT_CHECK]
    if case.weight is not None and case.weight.verdict is WeightVerdict.EMPTY and not answered:
        out |= NOT_HELD
    return out


def violation(case: Case, decision: Decision) -> str | None:
    """The rule that a decision breaks, if any."""
    if decision.disposition in forbidden(case):
        return f"{decision.disposition} must not happen to {case}"
    for gate in decision.gates:
        if gate.state is GateState.RAISED and decision.disposition in gate.forbids:
            return f"{decision.disposition} is forbidden by {gate.id}"
        if gate.state is GateState.RAISED and gate.requires not in (None, decision.disposition):
            return f"{gate.id} requires {gate.requires}, not {decision.disposition}"
    chosen = [way for way in decision.alternatives if way.disposition is decision.disposition]
    if len(chosen) != 1 or not chosen[0].allowed:
        return f"{decision.disposition} is not an allowed alternative"
    return None


def every_case(
    policies: tuple[str, ...] | None, schemes: tuple[str, ...], reasons: tuple[str | None, ...] | None = None
):
    """All branches of all shipped protocols × all trait mixes × policies × schemes × reasons that change a question.

    Args:
        policies: every branch is taken under each of them; None = all take turns.
        reasons: every branch is taken under each of these too; None = the other reasons take turns, since they ask
            nothing else.
    """
    listed = (None, "not_in_the_list", *(reason.code for reason in RULES.reasons.reasons))
    for protocol in RULES.latest:
        told_apart = {reason for condition in conditions(protocol) for reason in condition.reasons}
        turns = cycle([reason for reason in listed if reason not in told_apart])
        policy_turns = cycle(RULES.policy_names())
        for traits in trait_mixes(ALL_TRAITS):
            for told in dict.fromkeys((None, *sorted(told_apart), *(reasons or ()))):
                for way in branches(protocol, Situation(told, traits)):
                    for policy in policies or (next(policy_turns),):
                        for scheme in schemes:
                            declared = next(turns) if told is None and reasons is None else told
                            branch = Branch(Situation(declared, traits), way.answers)
                            yield simulated_case(protocol, branch, policy=policy, scheme=scheme)


def test_every_branch_of_every_protocol_under_every_trait_mix_and_policy():
    count = 0
    seen: set[Disposition] = set()
    declared: set[str | None] = set()
    for case in every_case(None, ("standard",)):
        decision = decide(case, RULES)
        count += 1
        seen.add(decision.disposition)
        declared.add(case.line.declared_reason)
        assert violation(case, decision) is None
    # 11 protocols, all trait mixes; every policy and every listed reason has its turn (--slow: each with each).
    assert count > 10_000
    assert len(declared) == len(RULES.reasons.reasons) + 2
    assert {D.RESTOCK, D.REPACKAGE, D.REFURBISH, D.LIQUIDATE, D.RETURN_TO_VENDOR, D.RECYCLE, D.QUARANTINE} <= seen


@pytest.mark.slow
def test_every_branch_with_every_listed_reason_and_both_schemes():
    reasons = (None, "not_in_the_list", *(reason.code for reason in RULES.reasons.reasons))
    count = 0
    for case in every_case(RULES.policy_names(), RULES.scheme_names(), reasons):
        assert violation(case, decide(case, RULES)) is None
        count += 1
    assert count > 500_000


@pytest.mark.parametrize("gate_id", ["lithium", "recall", "data_bearing", "hygiene", "expired", "destruction_ban"])
def test_the_search_finds_a_gate_that_was_taken_out(gate_id):
    """Negative control: without one gate some unit goes where it must not, and the oracle above says so."""
    book = GateBook(version=99, gates=tuple(rule for rule in RULES.gates.gates if rule.id != gate_id))
    # What a gate forbids is mostly impossible for other reasons too; here nothing else stands in the way.
    open_ways = tuple(
        msgspec.structs.replace(route, needs={}, pointless_at={}, only_found=())
        for route in RULES.routes.routes
        if (
            route.disposition is D.DESTROY
            if gate_id == "destruction_ban"
            else route.disposition is not D.RETURN_TO_VENDOR
        )
    )
    routes = msgspec.structs.replace(RULES.routes, routes=open_ways)
    cases = every_case(("marketplace",), ("standard",))
    with_gate = replace(RULES, routes=routes)
    without = replace(RULES, routes=routes, gates=book)
    bad = next(case for case in cases if violation(case, decide(case, without)) is not None)
    assert violation(bad, decide(bad, with_gate)) is None


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
questions = sorted({q.id for p in RULES.latest for q in p.questions} | {WEIGHT_CHECK})
choices = sorted({c.id for p in RULES.latest for q in p.questions for c in q.choices} | {"complete", "empty_box"})
money = st.builds(Money, st.integers(-(10**9), 10**12), st.sampled_from(["EUR", "USD", "JPY", "XXX"]))
mass = st.integers(-(10**6), 10**9)
moments = st.datetimes() | st.datetimes(timezones=st.just(UTC))
categories = st.sampled_from(
    [None, "", "toys", "apparel", "apparel.shirts", "footwear", "electronics", "electronics.audio",
     "electronics.phone", "electronics.power_bank", "hygiene", "cosmetics.cream", "homeware", "outlet"]
)  # fmt: skip
items = st.builds(
    CatalogueItem,
    merchant_id=words,
    sku=words,
    title=words,
    category=categories,
    price=st.none() | money,
    mass_mg=st.none() | mass,
    traits=st.sets(st.sampled_from(list(Trait))).map(tuple),
)
reasons = st.none() | st.sampled_from([reason.code for reason in RULES.reasons.reasons]) | words
lines = st.builds(
    ReturnLine,
    st.just(1),
    words,
    st.just(1),
    reasons,
    serial=st.none() | words,
    paid=st.none() | money,
)
authorisations = st.builds(
    ReturnAuthorisation,
    words,
    words,
    st.none(),
    st.tuples(lines),
    ordered_at=st.none() | moments,
    delivered_at=st.none() | moments,
    authorised_at=st.none() | moments,
)
merchants = st.builds(
    Merchant,
    words,
    words,
    st.sampled_from([*RULES.policy_names(), "none_such"]),
    st.sampled_from([*RULES.scheme_names(), "none_such"]),
)
ways = st.builds(
    Answer,
    st.sampled_from(questions) | words,
    st.sampled_from(choices) | words,
    st.sampled_from(["key", "scan", "shortcut:RSC-CLEAN", "shortcut:RSC-SEALED", "shortcut:"]),
)
judgements = st.builds(
    WeightJudgement,
    st.sampled_from(WeightVerdict),
    st.none() | mass,
    st.none() | mass,
    st.none() | mass,
    st.none() | words,
)


@st.composite
def anything(draw: st.DrawFn) -> Case:
    """A case that need not make sense; half of them follow a real branch, so that the deep rules are reached too."""
    item = draw(st.none() | items)
    authorisation = draw(st.none() | authorisations)
    protocol = draw(st.none() | st.sampled_from(list(RULES.latest)))
    answers = tuple(draw(st.lists(ways, max_size=6)))
    line = authorisation.lines[0] if authorisation is not None else draw(st.none() | lines)
    if item is not None and draw(st.booleans()):
        protocol = RULES.protocol_for(item)
        if protocol is not None:
            given = {}
            while open_now := protocol.open_questions(given, line.declared_reason if line else None, item.traits):
                given[open_now[0].id] = draw(st.sampled_from(open_now[0].choices)).id
            answers = tuple(Answer(question, choice, "key") for question, choice in given.items())
    return Case(
        at=draw(moments),
        identity=draw(st.just(IdentityOutcome.MATCH) | st.sampled_from(IdentityOutcome)),
        merchant=draw(st.none() | merchants),
        item=item,
        authorisation=authorisation,
        line=line,
        protocol=protocol,
        answers=answers,
        weight=draw(st.none() | judgements),
        skipped=tuple(draw(st.lists(st.builds(Skipped, words, words), max_size=2))),
        flags=tuple(draw(st.lists(st.builds(Reason, words, words), max_size=1))),
        derogations=tuple(
            draw(st.lists(st.builds(Derogation, st.sampled_from([g.id for g in RULES.gates.gates]), words), max_size=2))
        ),
        override=draw(st.none() | st.builds(Override, st.sampled_from(D), words)),
        serial_found=draw(st.none() | words),
    )


def check_anything(case: Case, rules: Rules) -> None:
    decision = decide(case, rules)
    assert violation(case, decision) is None
    assert decision.reasons
    assert all(reason.text for reason in decision.reasons)
    assert canonical_json(decision) == canonical_json(decide(case, rules))
    allowed = [way.allowed for way in decision.alternatives]
    assert allowed == sorted(allowed, reverse=True)
    paid = case.line.paid if case.line is not None else None
    amount = decision.refund.amount
    assert (amount is None) == (decision.refund.decision == "manual")
    if amount is not None:
        assert type(amount.minor) is int
        assert paid is not None
        assert amount.currency == paid.currency
        if case.identity is not IdentityOutcome.MISSING:
            assert 0 <= amount.minor <= paid.minor
    if decision.second_look or decision.disposition is D.QUARANTINE:
        assert decision.needs_confirm


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything())
def test_whatever_comes_in_a_decision_comes_out_and_no_gate_is_passed(case):
    check_anything(case, RULES)


@pytest.mark.slow
@settings(max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything())
def test_whatever_comes_in_long(case):
    check_anything(case, RULES)


def test_a_branch_is_only_as_long_as_it_must_be():
    clean = [
        len(way.answers)
        for protocol in RULES.latest
        for traits in trait_mixes(ALL_TRAITS)
        for way in branches(protocol, Situation(None, traits))
        if isinstance(way, Branch) and not _touched(protocol, way)
    ]
    assert clean
    assert max(clean) <= 3


def _touched(protocol, way) -> bool:
    picked = [protocol.question(a.question).choice(a.choice) for a in way.answers]
    return any(choice.defects or choice.gates or choice.second_look or choice.reason for choice in picked)
