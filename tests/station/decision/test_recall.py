"""Recall notices: missed by nobody, ruled out only for certain, possible until a person has looked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.decision.decide import decide
from station.decision.model import Disposition, GateAct, GateActKind, GateState, GoodsDate, Signature
from station.decision.recall import (
    Days,
    Fit,
    Notice,
    Range,
    RecallBook,
    alike,
    check_recalls,
    match_recalls,
    within,
    words,
)
from station.decision.rules import load_rules
from station.errors import InvalidInput
from station.people.person import Role
from station.returns.model import CatalogueItem, Trait

D = Disposition
LEAD, INSPECTOR = Signature("ana", (Role.LEAD,)), Signature("ida", (Role.INSPECTOR,))
NOTICE = Notice(
    id="R-7", text="Battery may overheat", models=("Halden ANC",), serials=(Range(first="HD7-20000", to="HD7-29999"),)
)


def book(*notices: Notice) -> RecallBook:
    made = RecallBook(version=1, notices=notices)
    check_recalls(made, "test")
    return made


def item(title: str = "Halden ANC, black", sku: str = "HD7", **changes) -> CatalogueItem:
    return CatalogueItem("nl", sku, title, "electronics.audio", **changes)


@pytest.mark.parametrize(
    ("title", "means"),
    [
        ("Halden ANC", True),
        ("HALDEN-ANC wireless headphones", True),
        ("Håldèn  anc", True),
        ("Haldne ANC", True),  # swapped
        ("Halden A.N.C. black", True),
        ("HaldenANC", True),
        ("Halden", False),
        ("Halden ABC", False),
        ("Holborn ANC", False),
        ("", False),
    ],
)
def test_names_are_matched_as_people_write_them(title, means):
    assert bool(match_recalls(book(NOTICE), item(title), "HD7-22941")) is means


@pytest.mark.parametrize(
    ("model", "title", "means"),
    [
        ("Халден ХД-7", "ХАЛДЕН  хд7, чёрный", True),
        ("Халден ХД-7", "Халдне ХД‑7", True),  # swapped, and another hyphen
        ("Халден ХД-7", "Халден ХД-8", False),
        ("Φορτιστής Άλφα", "φορτιστης ΑΛΦΑ 20W", True),
        ("パワーバンク", "ハルデンパワーバンク１０ 黒", True),  # nothing is written between words
        ("パワーバンク", "ﾊﾟﾜｰﾊﾞﾝｸ 10", True),
        ("移动电源", "哈尔登移动电源10000", True),
        ("移动电源", "移动电话", False),
        ("헤드폰 HD-7", "할덴 헤드폰 HD7 블랙", True),
        ("헤드폰 HD-7", "할덴 이어폰 HD7 블랙", False),
        ("سماعات ٧", "سماعات هالدن 7", True),
        ("हेडफ़ोन एचडी-७", "हेडफ़ोन एचडी7 काला", True),
        ("แบตเตอรี่สำรอง", "ฮาลเดนแบตเตอรี่สำรองสีดำ", True),
    ],
)
def test_names_of_every_script_are_compared(model, title, means):
    notice = Notice(id="R-8", text="Battery may overheat", models=(model,))
    assert bool(match_recalls(book(notice), item(title, sku="X"))) is means


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd")), min_size=1, max_size=12), st.text(max_size=8))
def test_a_name_finds_itself_whatever_it_is_written_in(name, before):
    if not words(name):
        return  # nothing that can be compared is left of it; such a notice is refused
    notice = Notice(id="R-9", text="Any", models=(name,))
    assert match_recalls(book(notice), item(f"{before} {name}", sku="X"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("hd7", "hd8", False), ("hd70", "hd7o", True), ("x200", "x2000", False), ("powerbank", "powrbank", True),
     ("powerbank", "powerbanks", True), ("cable", "table", True), ("anc", "and", False),
     ("powerbank", "pwoerbnak", False)],
)  # fmt: skip
def test_one_slip_and_never_another_number(one, other, same):
    assert alike(one, other) is same
    assert alike(other, one) is same


letters = st.text("abcdefghjkmnpqrtuvwxyz", min_size=6, max_size=12)


@given(letters, st.integers(0, 11), st.sampled_from("abcdefgh"), st.sampled_from(["drop", "other", "more", "swap"]))
def test_any_one_slip_in_a_name_still_finds_the_notice(word, at, letter, slip):
    at %= len(word) - 1
    wrong = {
        "drop": word[:at] + word[at + 1 :],
        "other": word[:at] + letter + word[at + 1 :],
        "more": word[:at] + letter + word[at:],
        "swap": word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    }[slip]
    recalls = book(Notice(id="N", text="t", models=(word,)))
    assert match_recalls(recalls, item(f"Brand {wrong} blue", "S"), None)[0].fit is Fit.POSSIBLE


@pytest.mark.parametrize(
    ("serial", "fit"),
    [("HD7-22941", Fit.POSSIBLE), ("hd722941", Fit.POSSIBLE), ("HD7-2294I", Fit.POSSIBLE), ("HD7-30000", Fit.RULED_OUT),
     ("HD7-19999", Fit.RULED_OUT), ("HD7-2294", Fit.POSSIBLE), ("XK7-22941", Fit.POSSIBLE), ("", Fit.POSSIBLE),
     (None, Fit.POSSIBLE)],
)  # fmt: skip
def test_only_a_number_that_is_outside_for_certain_rules_it_out(serial, fit):
    (match,) = match_recalls(book(NOTICE), item(), serial)
    assert match.fit is fit
    assert "R-7" in match.why


@given(st.integers(0, 99_999), st.integers(0, 99_999), st.integers(0, 99_999))
def test_a_range_is_what_its_numbers_are(first, to, number):
    if first <= to:
        assert within(f"A{number:05d}", Range(first=f"A{first:05d}", to=f"a-{to:05d}")) is (first <= number <= to)


def test_codes_lots_days_and_merchants():
    by_code = Notice(
        id="C", text="t", gtins=("4006381333931",), lots=(Range(first="L10", to="L19"),), merchants=("nl",)
    )
    made = Notice(id="M", text="t", skus=("hd-7",), made=(Days(first=date(2026, 1, 1), to=date(2026, 3, 31)),))
    goods = item("x", "HD7", gtins=("04006381333931",))
    recalls = book(by_code, made)
    fits = {m.notice.id: m.fit for m in match_recalls(recalls, goods, None, "L15", date(2026, 2, 1))}
    assert fits == {"C": Fit.POSSIBLE, "M": Fit.POSSIBLE}
    fits = {m.notice.id: m.fit for m in match_recalls(recalls, goods, None, "L20", date(2026, 4, 1))}
    assert fits == {"C": Fit.RULED_OUT, "M": Fit.RULED_OUT}
    assert [m.notice.id for m in match_recalls(recalls, replace(goods, merchant_id="other"), None)] == ["M"]
    assert match_recalls(recalls, None) == ()


@pytest.mark.parametrize(
    ("notices", "message"),
    [
        ((NOTICE, NOTICE), "twice"),
        ((Notice(id="N", text="t"),), "names no article"),
        ((Notice(id="N", text="t", models=("--",)),), "neither letters"),
        ((Notice(id="N", text="t", skus=("a",), serials=(Range(first="B9", to="B1"),)),), "no range"),
        ((Notice(id="N", text="t", skus=("a",), lots=(Range(first="B9", to="B100"),)),), "no range"),
        (
            (Notice(id="N", text="t", skus=("a",), made=(Days(first=date(2026, 2, 1), to=date(2026, 1, 1)),)),),
            "no range",
        ),
    ],
    ids=["twice", "nothing", "model", "backwards", "lengths", "days"],
)
def test_a_list_that_could_be_misread_is_refused(notices, message):
    with pytest.raises(InvalidInput, match=message):
        check_recalls(RecallBook(version=1, notices=notices), "list.toml")


def test_a_possible_match_holds_until_somebody_compared(case, rules):
    listed = replace(rules, recalls=book(NOTICE))
    unit = case(serial_found="HD7-22941")
    assert decide(unit, rules).disposition is D.RESTOCK

    def after(kind: GateActKind, who: Signature):
        return decide(replace(unit, gate_acts=(GateAct(kind, "R-7", "", (who,)),)), listed)

    possible = decide(unit, listed)
    assert possible.disposition is D.QUARANTINE
    assert "Recall R-7 may mean it" in possible.reasons[0].text
    confirmed = after(GateActKind.RECALL_CONFIRMED, INSPECTOR)
    assert confirmed.disposition is D.QUARANTINE
    assert {g.id for g in confirmed.gates if g.state is GateState.RAISED} >= {"recall", "lithium"}
    assert after(GateActKind.RECALL_DENIED, INSPECTOR).disposition is D.QUARANTINE
    assert after(GateActKind.RECALL_DENIED, LEAD).disposition is D.RESTOCK
    assert decide(replace(unit, serial_found="HD7-30000"), listed).disposition is D.RESTOCK


def test_two_notices_need_two_answers(case, rules):
    both = replace(rules, recalls=book(NOTICE, msgspec.structs.replace(NOTICE, id="R-8")))
    denied = (GateAct(GateActKind.RECALL_DENIED, "R-7", "", (LEAD,)),)
    assert decide(case(gate_acts=denied), both).disposition is D.QUARANTINE
    twice = (*denied, GateAct(GateActKind.RECALL_DENIED, "R-8", "", (LEAD,)))
    assert decide(case(gate_acts=twice), both).disposition is D.RESTOCK


def test_a_recall_list_is_a_rule_file(tmp_path):
    text = 'kind = "recalls"\nversion = 3\n[[notices]]\nid = "R-7"\ntext = "Hot"\nmodels = ["Halden ANC"]\n'
    text += 'serials = [{first = "HD7-20000", to = "HD7-29999"}]\nmade = [{first = 2026-01-01, to = 2026-03-31}]\n'
    (tmp_path / "recalls.toml").write_text(text)
    from station.decision.rules import default_folders

    loaded = load_rules([*default_folders(), tmp_path])
    assert loaded.recalls.notices[0].made[0].to == date(2026, 3, 31)
    assert dict(loaded.book_versions)["recalls"].startswith("recalls@3 ")


# Dates and documents


@pytest.mark.parametrize(
    ("until", "market", "way"),
    [(date(2026, 7, 21), "", D.QUARANTINE), (None, "", D.QUARANTINE), (date(2026, 8, 1), "", D.RESTOCK),
     (date(2026, 8, 1), "DE", D.QUARANTINE), (date(2027, 6, 1), "DE", D.RESTOCK)],
)  # fmt: skip
def test_a_date_on_the_pack_counts_by_market(case, rules, until, market, way):
    gates = tuple(
        msgspec.structs.replace(rule, rest_life_days={"default": 0, "DE": 60}) if rule.id == "expired" else rule
        for rule in rules.gates.gates
    )
    strict = replace(rules, gates=msgspec.structs.replace(rules.gates, gates=gates))
    decision = decide(case(dates=(GoodsDate(until, "(17)"),), market=market), strict)
    assert (decision.disposition is D.RESTOCK) is (way is D.RESTOCK)
    raised = [gate for gate in decision.gates if gate.id == "expired" and gate.state is GateState.RAISED]
    assert bool(raised) is (way is not D.RESTOCK)


def test_the_earliest_date_counts(case, rules):
    dates = (GoodsDate(date(2030, 1, 1), "(15)"), GoodsDate(date(2026, 1, 1), "(17)"))
    assert decide(case(dates=dates), rules).disposition is not D.RESTOCK


@pytest.mark.parametrize(
    ("reference", "who", "clear"),
    [("WIPE-1", (INSPECTOR,), True), (" ", (INSPECTOR,), False), ("WIPE-1", (), False),
     ("WIPE-1", (Signature("aud", (Role.AUDITOR,)),), False)],
    ids=["number and inspector", "no number", "nobody", "auditor"],
)  # fmt: skip
def test_a_wipe_is_proven_by_a_certificate_and_somebody(case, rules, reference, who, clear):
    act = GateAct(GateActKind.PROOF, "data_bearing", reference, who)
    decision = decide(case(traits=(Trait.LITHIUM, Trait.HYGIENE, Trait.DATA_BEARING), gate_acts=(act,)), rules)
    gate = next(gate for gate in decision.gates if gate.id == "data_bearing")
    assert (gate.state is GateState.CLEAR) is clear
    if clear:
        assert gate.reason.text.endswith("WIPE-1, by ida")
