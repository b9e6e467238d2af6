"""Badge and PIN at the bench: who gets in, who does not, and what a copied database is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.canonical import canonical_json
from station.errors import InvalidInput, OperatorError
from station.identify.interpret import interpret
from station.identify.scan import CandidateKind
from station.people import (
    Act,
    BenchKeys,
    Cost,
    LockState,
    MemoryLockouts,
    Moment,
    Person,
    Proof,
    Reason,
    Refused,
    Role,
    RoleSpan,
    Roster,
    SignedIn,
    SiteKey,
    check_pin,
    make_verifier,
    new_badge,
    open_sealed,
    parse_badge,
    permit,
    roles_at,
    seal,
)
from station.people.badges import check_character
from station.people.lockout import as_of, one_more, wait_after
from station.people.pins import hash_pin, read_verifier

CHEAP = Cost(1, 8, 1)
"""The least that Argon2id knows: what is tested here is not its slowness."""
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SITE = SiteKey(b"s" * 32)
KEYS = BenchKeys(SITE, b"p" * 32)
BADGE = new_badge()
PIN = "409127"


def person(**changes: object) -> Person:
    given = {
        "id": "p-1", "name": "Mia Berg", "active": True, "roles": [RoleSpan("inspector", NOON - timedelta(days=400))],
        "badge": SITE.badge(BADGE), "pin": make_verifier(SITE, "p-1", PIN, CHEAP),
    }  # fmt: skip
    return Person(**(given | changes))


def roster(*people: Person, lockouts: MemoryLockouts | None = None, synced_at: datetime | None = NOON) -> Roster:
    sealed = [open_sealed(seal(canonical_json(one), KEYS)) for one in people]
    return Roster(sealed, KEYS, lockouts if lockouts is not None else MemoryLockouts(), synced_at)


def at(seconds: float = 0.0, boot: str = "boot-1", utc: datetime = NOON) -> Moment:
    return Moment(utc, 1000.0 + seconds, boot)


# who gets in


def test_badge_and_pin_prove_who_somebody_is() -> None:
    found = roster(person()).sign_in(BADGE, PIN, at())
    assert found == SignedIn("p-1", "Mia Berg", frozenset({Role.INSPECTOR}), Proof.BADGE_AND_PIN, verified=True)
    assert found.proven


def test_a_badge_alone_names_somebody_and_proves_nothing() -> None:
    found = roster(person()).sign_in(f" {BADGE.lower()}\r\n", None, at())
    assert isinstance(found, SignedIn)
    assert (found.proof, found.proven) == (Proof.BADGE, False)


@pytest.mark.parametrize(
    ("changes", "badge", "pin", "reason"),
    [
        ({}, "4006381333931", PIN, Reason.NOT_A_BADGE),
        ({}, BADGE[:-1], PIN, Reason.NOT_A_BADGE),
        ({}, parse_badge("BDG-000000000" + check_character("BDG000000000")), PIN, Reason.UNKNOWN_BADGE),
        ({"active": False}, BADGE, PIN, Reason.DISABLED),
        ({"roles": []}, BADGE, PIN, Reason.NO_ROLE),
        ({"roles": [RoleSpan("wizard", NOON - timedelta(1))]}, BADGE, PIN, Reason.NO_ROLE),
        ({"roles": [RoleSpan("lead", NOON + timedelta(1))]}, BADGE, PIN, Reason.NO_ROLE),
        ({"roles": [RoleSpan("lead", NOON - timedelta(2), NOON)]}, BADGE, PIN, Reason.NO_ROLE),
        ({"pin": None}, BADGE, PIN, Reason.NO_PIN_SET),
        ({}, BADGE, "409128", Reason.WRONG_PIN),
        ({}, BADGE, "", Reason.WRONG_PIN),
        ({}, BADGE, "\ud800", Reason.WRONG_PIN),
        ({}, BADGE, "4" * 10_000, Reason.WRONG_PIN),
    ],
    ids=lambda value: value.value if isinstance(value, Reason) else "",
)
def test_who_does_not_get_in(changes: dict[str, object], badge: str, pin: str, reason: Reason) -> None:
    found = roster(person(**changes)).sign_in(badge, pin, at())
    assert isinstance(found, Refused)
    assert found.reason is reason


def test_somebody_else_with_the_same_pin_does_not_pass_for_the_holder_of_a_badge() -> None:
    other = person(id="p-2", badge=SITE.badge(new_badge()), pin=make_verifier(SITE, "p-2", "771903", CHEAP))
    found = roster(person(), other).sign_in(BADGE, "771903", at())
    assert isinstance(found, Refused)


@pytest.mark.parametrize(
    ("synced_at", "verified"),
    [
        (NOON, True),
        (NOON - timedelta(days=14), True),
        (NOON - timedelta(days=14, seconds=1), False),
        (NOON + timedelta(minutes=4), True),
        (NOON + timedelta(hours=1), False),
        (None, False),
    ],
    ids=["now", "fourteen days", "a second more", "small skew", "the clock went back", "never"],
)
def test_without_news_from_the_centre_a_sign_in_records_but_proves_nothing(
    synced_at: datetime | None, verified: bool
) -> None:
    found = roster(person(), synced_at=synced_at).sign_in(BADGE, PIN, at())
    assert isinstance(found, SignedIn)
    assert (found.verified, found.proven) == (verified, verified)


# wrong tries


def test_five_tries_then_waits_that_double_and_survive_a_restart_and_a_set_clock() -> None:
    kept = MemoryLockouts()
    desk = roster(person(), lockouts=kept)
    waits = [desk.sign_in(BADGE, "000000", at(n)).wait_s for n in range(5)]
    assert waits == [0.0, 0.0, 0.0, 0.0, 30.0]
    # the right PIN is not even looked at now
    assert desk.sign_in(BADGE, PIN, at(14)) == Refused(Reason.LOCKED, 20.0)
    # ten years later by the wall clock, no second later by the one that counts
    assert desk.sign_in(BADGE, PIN, at(14, utc=NOON + timedelta(days=3650))) == Refused(Reason.LOCKED, 20.0)
    assert desk.sign_in(BADGE, PIN, at(14, utc=NOON - timedelta(days=1))) == Refused(Reason.LOCKED, 20.0)
    # a restart of the program: what was kept still counts
    assert roster(person(), lockouts=kept).sign_in(BADGE, PIN, at(20)) == Refused(Reason.LOCKED, 14.0)
    # a reboot: the wait begins again from its start, and then runs down
    desk = roster(person(), lockouts=kept)
    assert desk.sign_in(BADGE, PIN, Moment(NOON, 3.0, "boot-2")) == Refused(Reason.LOCKED, 30.0)
    assert desk.sign_in(BADGE, PIN, Moment(NOON, 13.0, "boot-2")) == Refused(Reason.LOCKED, 20.0)
    assert desk.sign_in(BADGE, "000000", Moment(NOON, 33.0, "boot-2")) == Refused(Reason.WRONG_PIN, 60.0)
    assert isinstance(desk.sign_in(BADGE, PIN, Moment(NOON, 93.0, "boot-2")), SignedIn)
    assert kept.state("p-1") == LockState()


def test_a_try_is_counted_before_the_pin_is_looked_at() -> None:
    """Pulling the plug while the PIN is checked must not give the try back."""

    class Unplugged(Exception):
        pass

    class Plug(MemoryLockouts):
        cut = True

        def keep(self, person_id: str, state: LockState) -> None:
            super().keep(person_id, state)
            if self.cut:
                raise Unplugged

    kept = Plug()
    desk = roster(person(), lockouts=kept)
    for _ in range(5):
        with pytest.raises(Unplugged):
            desk.sign_in(BADGE, "000000", at())
    kept.cut = False
    assert desk.sign_in(BADGE, PIN, at()) == Refused(Reason.LOCKED, 30.0)


def test_one_persons_wrong_tries_lock_nobody_else_and_a_lead_can_end_them() -> None:
    other_badge = new_badge()
    other = person(id="p-2", badge=SITE.badge(other_badge), pin=make_verifier(SITE, "p-2", "771903", CHEAP))
    desk = roster(person(), other)
    for _ in range(6):
        desk.sign_in(BADGE, "000000", at())
    assert isinstance(desk.sign_in(other_badge, "771903", at()), SignedIn)
    desk.unlock("p-1")
    assert isinstance(desk.sign_in(BADGE, PIN, at()), SignedIn)


@given(
    st.lists(
        st.tuples(st.sampled_from(["wrong", "pass", "reboot", "back"]), st.floats(0, 2000, allow_nan=False)),
        max_size=60,
    )
)
def test_no_order_of_waiting_and_rebooting_gives_more_tries_than_the_schedule(
    steps: list[tuple[str, float]],
) -> None:
    """Between the n-th and the next looked-at try lie at least ``wait_after(n)`` seconds of one boot."""
    state, boot, clock, waited = LockState(), 0, 0.0, 0.0
    for step, seconds in steps:
        if step == "pass":
            clock += seconds
            waited += seconds
        elif step == "reboot":
            boot, clock, waited = boot + 1, 0.0, 0.0
        elif step == "back":
            clock = max(0.0, clock - seconds)  # a broken monotonic clock must not help either
            waited = 0.0
        now = Moment(NOON, clock, str(boot))
        state = as_of(state, now)
        if step == "wrong" and state.owed_s == 0.0:
            assert waited >= wait_after(state.failures) - 1e-6
            state, waited = one_more(state, now), 0.0


# badges and products


@given(st.text(alphabet="0123456789", min_size=1, max_size=40))
def test_no_number_is_a_badge(digits: str) -> None:
    for text in (digits, f"]E0{digits}", f"]C1{digits}", f"\x1d{digits}", f"01{digits}"):
        with pytest.raises(InvalidInput):
            parse_badge(text)


def test_no_scan_that_the_bench_takes_for_goods_is_a_badge() -> None:
    goods = [
        "4006381333931", "]E04006381333931", "96385074", "012345678905", "(01)04006381333931(21)BDG-1", "X001ABCDEF",
        "]C1010426000000001121HD7", "1Z999AA10123456784", "https://id.gs1.org/01/04006381333931", "B00ABCDEFG", "BDG-",
        "RMA-2026-004711", "LPN-000001", "RSC-CONFIRM", "BDG-17", "SN: BDG-7K2M9QX4TY",
    ]  # fmt: skip
    for text in goods:
        with pytest.raises(InvalidInput):
            parse_badge(text)


def test_a_badge_is_nothing_but_a_badge_to_the_bench() -> None:
    for _ in range(200):
        badge = new_badge()
        assert [one.kind for one in interpret(badge)] == [CandidateKind.BADGE]
        assert len(badge) == 14  # a badge in a retail symbol does not exist: those hold digits alone
        assert interpret(f"]E0{badge}") == ()


def test_one_wrong_character_or_two_swapped_are_noticed() -> None:
    badge = new_badge()
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    wrong = {badge[:i] + c + badge[i + 1 :] for i in range(4, 14) for c in letters} - {badge}
    wrong |= {badge[:i] + badge[i + 1] + badge[i] + badge[i + 2 :] for i in range(4, 13)} - {badge}
    for text in wrong:
        with pytest.raises(InvalidInput):
            parse_badge(text)


# PINs and what is kept


@pytest.mark.parametrize("pin", ["", "1234", "12345", "4091270912709", "40912a", "٤٠٩١٢٧", "123456", "987654", "890123",
                                 "111111", "121212", "409409", "445544"])  # fmt: skip
def test_pins_that_are_refused_and_not_quoted(pin: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_pin(pin)
    assert not pin or pin not in str(refused.value)


def test_a_copied_database_cannot_be_tried_without_the_keys() -> None:
    """Negative control first: with both keys the right PIN is found; without either one it is not."""
    sealed = open_sealed(seal(canonical_json(person()), KEYS))
    assert sealed.pin is not None
    tries = ("409126", PIN, "409128")

    def found_with(keys: BenchKeys) -> list[str]:
        assert sealed.pin is not None
        salt = bytes.fromhex(sealed.pin.salt)
        return [
            pin for pin in tries
            if keys.seal(b"pin", hash_pin(keys.site, "p-1", pin, sealed.pin.cost, salt)) == sealed.pin.mac
        ]  # fmt: skip

    assert found_with(KEYS) == [PIN]
    assert found_with(replace(KEYS, pepper=b"q" * 32)) == []
    assert found_with(replace(KEYS, site=SiteKey(b"t" * 32))) == []


def test_neither_badge_nor_verifier_nor_key_is_in_what_is_stored_or_shown() -> None:
    one = person()
    stored = seal(canonical_json(one), KEYS).decode()
    assert one.badge is not None
    assert one.pin is not None
    for secret in (BADGE, BADGE[4:], PIN, one.badge, one.pin.rsplit("$", 1)[1], KEYS.pepper.hex(), SITE.key.hex()):
        assert secret not in stored
    assert "ssss" not in repr(KEYS)
    assert "pppp" not in repr(KEYS)


@pytest.mark.parametrize(
    "text",
    ["",
     "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43, "$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
     "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA", "$argon2id$v=19$m=8,t=x,p=1$c2FsdHNhbHQ$" + "A" * 43,
     "$argon2id$v=19$m=8,t=1$c2FsdHNhbHQ$" + "A" * 43, "$" * 5, "$argon2id$v=19$m=8,t=1,p=1$!$" + "A" * 43],
    ids=range(8),
)  # fmt: skip
def test_a_verifier_that_is_damaged_or_would_cost_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_verifier(text)
    with pytest.raises(InvalidInput):
        seal(canonical_json(person(pin=text)), KEYS)


@given(st.binary(max_size=200))
def test_rubbish_from_the_feed_is_refused_calmly(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        seal(body, KEYS)
    with pytest.raises(InvalidInput):
        open_sealed(body)


# who may what


def test_roles_hold_from_their_first_moment_until_before_their_last() -> None:
    spans = [RoleSpan("lead", NOON, NOON + timedelta(hours=1)), RoleSpan("inspector", NOON)]
    assert roles_at(spans, NOON - timedelta(microseconds=1)) == frozenset()
    assert roles_at(spans, NOON) == {Role.LEAD, Role.INSPECTOR}
    assert roles_at(spans, NOON + timedelta(hours=1)) == {Role.INSPECTOR}


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("role", Role)
def test_every_act_by_every_role(act: Act, role: Role) -> None:
    second = ("p-2", [Role.LEAD])
    allowed = {
        Act.INSPECT: {"inspector", "lead"}, Act.VOID_OWN: {"inspector", "lead"}, Act.OVERRIDE: {"inspector", "lead"},
        Act.VOID_ANY: {"lead"}, Act.PASS_GATE: {"lead"}, Act.DECIDE_HELD: {"lead"}, Act.UNLOCK: {"lead", "admin"},
        Act.SET_UP_BENCH: {"admin"}, Act.MANAGE_PEOPLE: {"admin"}, Act.MANAGE_BENCHES: {"admin"},
        Act.READ_FIGURES: {"lead", "admin", "auditor"}, Act.READ_RECORD: {"lead", "auditor"},
    }  # fmt: skip
    if role in allowed[act]:
        permit(act, [role], person_id="p-1", proven=True, second=second)
    else:
        with pytest.raises(OperatorError, match="needs the role"):
            permit(act, [role], person_id="p-1", proven=True, second=second)


def test_a_badge_alone_lets_nobody_override_and_nobody_passes_a_gate_alone() -> None:
    permit(Act.INSPECT, [Role.INSPECTOR], person_id="p-1", proven=False)
    with pytest.raises(OperatorError, match="PIN"):
        permit(Act.OVERRIDE, [Role.INSPECTOR], person_id="p-1", proven=False)
    for second in (None, ("p-1", [Role.LEAD]), ("p-2", [Role.INSPECTOR])):
        with pytest.raises(OperatorError, match="second person"):
            permit(Act.PASS_GATE, [Role.LEAD], person_id="p-1", proven=True, second=second)
    permit(Act.PASS_GATE, [Role.LEAD], person_id="p-1", proven=True, second=("p-2", [Role.LEAD]))
