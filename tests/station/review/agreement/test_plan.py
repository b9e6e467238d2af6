"""The plan: reproducible with the secret, not foreseeable without; and nobody tells a planted return by its numbers."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from math import exp, sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import OperatorError
from station.identify.interpret import interpret
from station.identify.scan import Check
from station.quantities import Money
from station.returns.model import ReturnAuthorisation, ReturnLine
from station.review.agreement.codes import Lot, alike
from station.review.agreement.plan import Plan, Seen, Wanted, make_plan
from station.review.agreement.planted import Golden, Planted, Why
from tests.station.review.agreement.blind_lab import SECRET
from ui.demo.shift import _ups_number

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PEOPLE = ("ana", "bo", "cy", "dee")


def a_world(seed: int, returns: int = 300) -> tuple[list[Seen], dict[str, ReturnAuthorisation]]:
    """Returns as a shop sends them: rising numbers with gaps, UPS labels, times of day by the minute."""
    draw = random.Random(seed)
    number = 41_000
    seen, known = [], {}
    for place in range(returns):
        number += draw.randint(1, 9)
        came = AT - timedelta(days=1, minutes=draw.randint(0, 6 * 1440))
        ordered = (came - timedelta(days=draw.randint(6, 30))).replace(hour=draw.randint(6, 22), second=0)
        one = ReturnAuthorisation(
            f"RMA-2026-{number:06d}", "m", f"ORD-{number + 7_000}",
            (ReturnLine(1, f"SKU-{place % 9}", 1, "unwanted", None, None, Money(4990, "EUR")),),
            (_ups_number(draw),), ordered, ordered + timedelta(days=3, minutes=draw.randint(0, 600)),
            ordered + timedelta(days=5, minutes=draw.randint(0, 900)),
        )  # fmt: skip
        known[one.id] = one
        name = f"i-{place:05d}"
        category = ("apparel.shirts", "homeware.kitchen", "footwear")[place % 3]
        seen.append(Seen(name, "m", one.id, 1, category, PEOPLE[place % 4], came))
    return seen, known


def a_plan(
    seen: Sequence[Seen], known: dict[str, ReturnAuthorisation], secret: bytes = SECRET, again: int = 40, **more: object
) -> Plan:
    return make_plan(
        AT.date(), seen, {}, PEOPLE, lambda one: known.get(one.rma), lambda code: code not in known, secret=secret,
        at=AT, wanted=Wanted(again=again, golden=0), **more,
    )  # type: ignore[arg-type]  # fmt: skip


def earlier(plan: Plan) -> list[Planted]:
    """What was planted, as if it had been an hour before."""
    return [replace(errand.planted, at=AT - timedelta(hours=1)) for errand in plan.errands]


def test_an_auditor_gets_the_same_and_others_cannot_foresee_it() -> None:
    seen, known = a_world(1)
    plan = a_plan(seen, known)
    assert a_plan(list(reversed(seen)), known) == plan
    assert a_plan(seen, known, before=[errand.planted for errand in plan.errands]).errands[0].planted.subject == (
        plan.errands[0].planted.subject
    ), "drawn again for its own moment"
    other = a_plan(seen, known, secret=b"another secret of this very site")
    mine, theirs = ({errand.planted.subject for errand in one.errands} for one in (plan, other))
    assert len(mine & theirs) < len(mine) / 2
    assert all(errand.planted.rater not in errand.planted.not_by for errand in plan.errands)
    assert len({errand.planted.rma for errand in plan.errands}) == 40
    assert not {errand.planted.rma for errand in plan.errands} & known.keys()


def test_every_cell_has_its_turn() -> None:
    seen, known = a_world(2)
    who = {one.inspection_id: (one.inspector, one.category) for one in seen}
    cells = Counter(who[errand.planted.subject] for errand in a_plan(seen, known, again=12).errands)
    assert len(cells) == 12
    assert set(cells.values()) == {1}


def test_no_unit_goes_round_twice() -> None:
    seen, known = a_world(3)
    first = a_plan(seen, known)
    second = a_plan(seen, known, before=earlier(first))
    assert not {e.planted.subject for e in first.errands} & {e.planted.subject for e in second.errands}
    assert not {e.planted.rma for e in first.errands} & {e.planted.rma for e in second.errands}


def test_a_golden_item_goes_to_everybody_who_has_not_seen_it_and_did_not_agree_on_it() -> None:
    seen, known = a_world(4, 60)
    gold = Golden(seen[0].inspection_id, "B", {"look": "worn"}, ("cy",), "seam open", AT)
    had = []
    for _ in range(4):
        plan = make_plan(
            AT.date(), seen, {gold.inspection_id: (gold, seen[0])}, PEOPLE, lambda one: known.get(one.rma),
            lambda code: code not in known, secret=SECRET, at=AT, wanted=Wanted(again=0, golden=1), before=had,
        )  # fmt: skip
        had += earlier(plan)
    assert sorted(one.rater for one in had) == ["bo", "dee"], "ana inspected it, cy agreed on it"
    assert {one.why for one in had} == {Why.GOLDEN}


def test_only_units_of_the_right_age() -> None:
    seen, known = a_world(5, 40)
    old = [replace(one, confirmed_at=AT - timedelta(days=30)) for one in seen[:20]]
    young = [replace(one, confirmed_at=AT - timedelta(hours=1)) for one in seen[20:]]
    plan = a_plan([*old, *young], known)
    assert not plan.errands
    assert plan.left_out == ("Only 0 units of 40 could be found to look at again",)


# --- nobody can tell -------------------------------------------------------------------------------------------------


def features(one: ReturnAuthorisation) -> dict[str, float]:
    """What somebody who looks at a return might go by."""
    assert one.ordered_at is not None
    assert one.delivered_at is not None
    assert one.authorised_at is not None
    number, order, tracking = int(one.id[-6:]), int(one.order_id[-5:] if one.order_id else 0), one.tracking[0]
    found = {
        "bytes": float(len(msgspec.json.encode(one))),
        "rma": float(number),
        "order": float(order),
        "delivery": (one.delivered_at - one.ordered_at).total_seconds(),
        "asked": (one.authorised_at - one.delivered_at).total_seconds(),
        "second": float(one.authorised_at.second),
        "micro": float(one.authorised_at.microsecond),
        "letters": float(sum(character.isalpha() for character in tracking)),
    }
    for place in range(len(tracking)):
        found[f"tracking {place}"] = float(ord(tracking[place]))
    for place in range(1, 7):
        found[f"rma {place}"] = float(one.id[-place])
    return found


def chance(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How likely two samples of one kind lie so far apart: Kolmogorov's limit (cautious where values are tied)."""
    mine, others = sorted(ours), sorted(theirs)
    gap = max(
        abs(bisect_right(mine, at) / len(mine) - bisect_right(others, at) / len(others)) for at in {*mine, *others}
    )
    far = gap * sqrt(len(mine) * len(others) / (len(mine) + len(others)))
    return (
        min(1.0, max(0.0, 2 * sum((-1) ** (k - 1) * exp(-2 * (k * far) ** 2) for k in range(1, 101)))) if far else 1.0
    )


def worst(real: Sequence[ReturnAuthorisation], planted: Sequence[ReturnAuthorisation]) -> tuple[float, str]:
    """The feature that tells them apart best: p of Kolmogorov and Smirnov's test, corrected for having tried all."""
    ours, theirs = [features(one) for one in planted], [features(one) for one in real]
    names = sorted(ours[0])
    p = {name: chance([f[name] for f in ours], [f[name] for f in theirs]) for name in names}
    least = min(names, key=lambda name: p[name])
    return min(1.0, p[least] * len(names)), least


@cache
def real_and_planted() -> tuple[list[ReturnAuthorisation], list[ReturnAuthorisation]]:
    real, planted = [], []
    for seed in range(4):
        seen, known = a_world(100 + seed)
        plan = a_plan(seen, known, again=60)
        planted += [errand.authorisation for errand in plan.errands]
        real += known.values()
    return real, planted


def test_nobody_tells_a_planted_return_by_its_fields_numbers_or_times() -> None:
    real, planted = real_and_planted()
    assert len(planted) == 240
    keys = {tuple(sorted(msgspec.to_builtins(one))) for one in (*real, *planted)}
    assert len(keys) == 1
    checks = {
        tuple(sorted((found.kind, found.carrier, found.check) for found in interpret(one.tracking[0].encode())))
        for one in (*real, *planted)
    }
    assert all(check is not Check.BAD for found in checks for _, _, check in found[:1])
    p, by = worst(real, planted)
    assert p > 0.01, by


@pytest.mark.parametrize(
    ("mark", "by"),
    [
        (lambda one: replace(one, id=one.id[:-1] + "0"), "rma 1"),
        (
            lambda one: replace(one, authorised_at=AT + timedelta(microseconds=int(one.id[-6:]) * 7919 % 999_999)),
            "micro",
        ),
        (lambda one: replace(one, id=f"RMA-2026-{int(one.id[-6:]) + 2_000:06d}"), "rma"),
    ],
    ids=["round numbers", "times too fine", "numbers too high"],
)
def test_a_marker_would_be_found(mark: Callable[[ReturnAuthorisation], ReturnAuthorisation], by: str) -> None:
    real, planted = real_and_planted()
    p, _ = worst(real, [mark(one) for one in planted])
    assert p < 1e-6, by


@given(st.integers(0, 10_000), st.integers(1, 99))
def test_a_fresh_number_means_the_same_and_is_free(seed: int, salt: int) -> None:
    draw = random.Random(seed)
    real = [_ups_number(draw) for _ in range(12)]
    fresh = alike(real[0], real, lambda code: True, Lot(SECRET, str(salt)))
    assert fresh not in real
    assert len(fresh) == len(real[0])

    def meaning(code: str) -> list[tuple[str, str | None, str]]:
        return sorted((found.kind, found.carrier, found.check) for found in interpret(code.encode()))

    assert meaning(fresh) == meaning(real[0])


def test_a_running_number_is_taken_from_the_gaps_never_from_what_is_to_come() -> None:
    real = [f"RMA-{number:05d}" for number in range(100, 160, 2)]
    for salt in range(50):
        fresh = alike(real[3], real, lambda code: True, Lot(SECRET, str(salt)))
        assert 100 < int(fresh[4:]) < 158
    with pytest.raises(OperatorError, match="no free number"):
        alike("RMA-00103", [f"RMA-{number:05d}" for number in range(100, 120)], lambda code: True, Lot(SECRET, "x"))
    with pytest.raises(OperatorError, match="no digits"):
        alike("ABC", [], lambda code: True, Lot(SECRET, "x"))


def test_draws_are_even() -> None:
    lot = Lot(SECRET, "even")
    counts = Counter(lot.below(7) for _ in range(7_000))
    assert min(counts.values()) > 880
    assert max(counts.values()) < 1_120
