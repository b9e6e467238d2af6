"""Claims: what is there, what lacks, how long is left, and what to photograph next."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.rules import Rules
from station.errors import InvalidInput
from station.inspection.facts import IdentityOutcome, Photo, WeightJudgement, WeightVerdict
from station.review.claims import (
    ClaimFile,
    EvidenceKind,
    Found,
    Programme,
    checklist,
    checklists,
    claim_file,
    found_in,
    read_claims,
)
from tests.sync.material import an_inspection

BOOK = read_claims()
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SAFE_T = next(claim for claim in BOOK.claims if claim.id == "amazon_safe_t_us")
DAMAGED = ClaimFile((Found.DAMAGED,), shots=("front",), refunded=AT - timedelta(days=28), received=AT)


def test_what_lacks_is_named_and_the_next_photo_said_in_plain_words() -> None:
    listed = checklist(SAFE_T, DAMAGED, AT, BOOK)
    assert [(item.evidence.id, item.by) for item in listed.items] == [
        ("item", "photo front"), ("label", ""), ("packaging", ""), ("damage", ""), ("order", ""),
    ]  # fmt: skip
    assert listed.text.startswith("2 days left, until 2026-11-25 09:00 UTC; lacks: shipping label of the return,")
    assert listed.next == "Photograph the shipping label, flat and whole, so that the tracking number can be read"
    assert "Check" in listed.notice
    assert "2026-11-23" in listed.notice
    assert not listed.complete
    done = replace(DAMAGED, shots=("front", "shipping_label", "box", "damage"))
    last = checklist(SAFE_T, done, AT, BOOK)
    assert last.next == "Write down the order number, the day of the refund and the tracking number"
    whole = checklist(SAFE_T, replace(done, documents=("order",)), AT, BOOK)
    assert whole.complete
    assert whole.next == ""
    assert whole.text.endswith("nothing lacks")


def test_clocks_that_run_that_ended_that_did_not_begin_and_that_nobody_knows() -> None:
    late = checklist(SAFE_T, replace(DAMAGED, refunded=AT - timedelta(days=40)), AT, BOOK)
    assert not late.open_now
    assert late.next == ""
    assert late.text.startswith("Ended 10 days ago")
    unknown = checklist(SAFE_T, replace(DAMAGED, refunded=None), AT, BOOK)
    assert unknown.ends is None
    assert unknown.open_now
    assert "it may be running" in unknown.text
    assert "30 days after the customer was refunded" in unknown.text
    fba = next(claim for claim in BOOK.claims if claim.id == "amazon_fba_return_us")
    early = checklist(fba, DAMAGED, AT, BOOK)
    assert early.text.startswith("Can be filed in 32 days, until 2027-02-23")
    assert early.open_now


def test_only_what_fits_is_listed_the_one_that_ends_first_before_the_others() -> None:
    listed = checklists(BOOK, "walmart_us", DAMAGED, AT)
    assert [one.programme.id for one in listed] == ["walmart_us_48h", "walmart_us_return"]  # two days, then 17
    soon = checklists(BOOK, "walmart_us", replace(DAMAGED, refunded=AT - timedelta(days=44)), AT)
    assert [one.programme.id for one in soon] == ["walmart_us_return", "walmart_us_48h"]
    assert checklists(BOOK, "carrier_ups", DAMAGED, AT) == ()
    with pytest.raises(InvalidInput, match="did you mean 'amazon_us'"):
        checklists(BOOK, "amazon_uss", DAMAGED, AT)


def test_evidence_is_asked_for_where_it_matters() -> None:
    walmart = next(claim for claim in BOOK.claims if claim.id == "walmart_us_return")
    swapped = ClaimFile((Found.DIFFERENT_ITEM,), category="electronics.audio", refunded=AT)
    asked = {item.evidence.id for item in checklist(walmart, swapped, AT, BOOK).items}
    assert {"serial", "serial_shipped"} <= asked
    assert not {"serial"} & {
        item.evidence.id for item in checklist(walmart, replace(swapped, category="apparel"), AT, BOOK).items
    }
    read = checklist(walmart, replace(swapped, serial="A1"), AT, BOOK)
    assert ("serial", "serial number A1") in [(item.evidence.id, item.by) for item in read.items]


shots = sorted({shot for claim in BOOK.claims for piece in claim.evidence for shot in piece.shots})
papers = sorted({piece.id for claim in BOOK.claims for piece in claim.evidence if piece.kind is EvidenceKind.DOCUMENT})
files = st.builds(
    ClaimFile, found=st.lists(st.sampled_from(Found), unique=True).map(tuple),
    shots=st.lists(st.sampled_from(shots), unique=True).map(tuple), weighed=st.booleans(),
    serial=st.none() | st.just("A1"), documents=st.lists(st.sampled_from(papers), unique=True).map(tuple),
    category=st.sampled_from(["", "electronics.audio"]),
    received=st.none() | st.integers(0, 200).map(lambda day: AT - timedelta(days=day)),
    refunded=st.none() | st.integers(0, 200).map(lambda day: AT - timedelta(days=day)), delivered=st.just(AT),
)  # fmt: skip


@given(st.sampled_from(BOOK.claims), files, st.sampled_from(shots))
def test_more_evidence_never_lacks_more_and_following_the_advice_ends(
    claim: Programme, file: ClaimFile, shot: str
) -> None:
    before = checklist(claim, file, AT, BOOK)
    more = checklist(claim, replace(file, shots=(*file.shots, shot)), AT, BOOK)
    assert set(one.id for one in more.missing) <= set(one.id for one in before.missing)
    assert before.complete == (not before.missing)
    assert (before.next == "") == (before.complete or not before.open_now)
    now = before
    for _ in range(len(before.items)):
        if not now.missing:
            break
        piece = next(one for one in now.missing if one.guide == now.next) if now.open_now else now.missing[0]
        file = replace(
            file, shots=(*file.shots, *piece.shots[:1]), weighed=file.weighed or piece.kind is EvidenceKind.WEIGHT,
            serial="A1" if piece.kind is EvidenceKind.SERIAL else file.serial,
            documents=(*file.documents, *([piece.id] if piece.kind is EvidenceKind.DOCUMENT else [])),
        )  # fmt: skip
        now = checklist(claim, file, AT, BOOK)
    assert now.complete


def test_from_a_record() -> None:
    unit = an_inspection(1)
    assert found_in(unit) == (Found.DAMAGED,)
    photo = Photo("ab" * 32, 10, 1, 1, "damage", AT, 900, 120, "c")
    wrong = replace(
        unit, identity=IdentityOutcome.WRONG_ITEM, photos=(photo, photo), defects=(("missing_part", "major"),),
        judgement=WeightJudgement(WeightVerdict.EMPTY, -1, 1, 1, None),
        decision=replace(unit.decision, found_reason="used"),
    )  # fmt: skip
    assert found_in(wrong) == (Found.DIFFERENT_ITEM, Found.EMPTY, Found.PART_MISSING, Found.USED)
    file = claim_file(wrong, ["order"], refunded=AT)
    assert (file.shots, file.weighed, file.serial, file.received) == (("damage",), True, "HD7-1", unit.started_at)
    transit = replace(unit, decision=replace(unit.decision, found_reason="damaged_in_transit"))
    assert found_in(transit) == (Found.DAMAGED_IN_TRANSIT,)
    fine = replace(unit, defects=(), decision=replace(unit.decision, found_reason=None))
    assert found_in(fine) == ()


def test_the_book_has_sources_plain_words_and_reasons_that_exist(rules: Rules) -> None:
    for claim in BOOK.claims:
        assert len(claim.source) > 20
        assert claim.read_on.year == 2026
        for piece in claim.evidence:
            assert len(piece.guide) <= 110
            assert re.match(r"[A-Z][a-z]+ ", piece.guide), piece.guide
    for reason in ("missing_parts", "damaged_in_transit", "used"):
        assert rules.reasons.reason(reason) is not None


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('kind = "claims"', 'kind = "claim"', "kind is"),
        ('id = "cmr_damage"', 'id = "ups_damage"', "is there twice"),
        ("opens_days = 60", "opens_days = 600", "ends before it opens"),
        ('shots = ["lpn_label"]', "", "a photo needs 'shots'"),
        ('counts_from = "refunded"', 'counts_from = "sold"', "counts_from"),
    ],
    ids=["kind", "twice", "window", "shots", "clock"],
)
def test_what_is_no_book_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    text = (Path(__file__).parents[3] / "resources/review/claims.toml").read_text(encoding="utf-8")
    assert before in text
    file = tmp_path / "claims.toml"
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(InvalidInput, match=message):
        read_claims(file)
