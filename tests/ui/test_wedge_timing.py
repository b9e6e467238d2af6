"""Scanner or person? Tables of key times, each with what arrives where (DEVICES §2.4, §8.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.wedge_timing import GAP_MS, HOLD_MS, MAX_KEYS, Do, Held, Key, Kind, WedgeTiming

CODE = "]C1RMA-10442"
ENTER, F8, F9, SHIFT, CAPS, DOWN = "\r", "<F8>", "<F9>", "<Shift>", "<Caps>", "<Down>"
_KINDS = {
    ENTER: Kind.TERMINATOR,
    "\t": Kind.TERMINATOR,
    F8: Kind.OTHER,
    F9: Kind.PREFIX,
    SHIFT: Kind.MODIFIER,
    CAPS: Kind.CAPS_LOCK,
    DOWN: Kind.LINE_FEED,
    "\x1d": Kind.CONTROL,
    "<dead>": Kind.LOST,
}


@dataclass(order=True)
class Stroke:
    """One key going down and up."""

    at_ms: int
    key: str = field(compare=False)
    lasts_ms: int = field(compare=False, default=2)
    in_field: bool = field(compare=False, default=False)
    shift: bool = field(compare=False, default=False)
    repeat: bool = field(compare=False, default=False)


def scanner(text: str, per_key_ms: int, at_ms: int = 1000, end: str = ENTER, jitter: int = 0) -> list[Stroke]:
    keys = [*text, end] if end else list(text)
    return [
        Stroke(at_ms + n * per_key_ms + (jitter if n % 2 else 0), key, min(2, per_key_ms), shift=key.isupper())
        for n, key in enumerate(keys)
    ]


def person(text: str, gaps: list[int], at_ms: int = 1000) -> list[Stroke]:
    out = []
    for n, key in enumerate(text):
        out.append(Stroke(at_ms, key, 80))
        at_ms += gaps[n % len(gaps)]
    return out


class Window:
    """What a window and its bench get of a row of strokes."""

    def __init__(self, *, prefix: bool = False) -> None:
        self.timing = WedgeTiming(prefix=prefix)
        self.got = ""
        """What reached the window, in order."""
        self.held: list[tuple[int, str]] = []
        self.scans: list[str] = []
        self.refused: list[str] = []
        self.longest_hold_ms = 0

    def play(self, strokes: list[Stroke], until_ms: int = 5000) -> Window:
        happenings = [(one.at_ms, 0, n, one) for n, one in enumerate(strokes)]
        happenings += [(one.at_ms + one.lasts_ms, -1, n, one) for n, one in enumerate(strokes)]
        for at_ms, is_release, _, one in sorted(happenings, key=lambda h: h[:3]):
            self._run_to(at_ms)
            code = ord(one.key[0].lower()) + len(one.key) * 1000
            if is_release:
                self.timing.release(code)
                continue
            kind = _KINDS.get(one.key, Kind.CHARACTER)
            text = one.key if kind in (Kind.CHARACTER, Kind.CONTROL) else ""
            key = Key(at_ms, kind, text, code, one.shift, one.repeat)
            wanted = self.timing.wants(key, in_field=one.in_field)
            verdict = self.timing.press(key, in_field=one.in_field)
            self._settle(verdict, at_ms)
            if verdict.do is Do.HOLD:
                self.held.append((at_ms, one.key))
            elif verdict.do is Do.PASS:
                self.got += one.key
            if verdict.do is not Do.PASS and kind not in (Kind.MODIFIER, Kind.CAPS_LOCK):
                assert wanted, "a shortcut would have fired on a key that is a scanner's"
        self._run_to(max(until_ms, strokes[-1].at_ms + 2000))
        return self

    def _run_to(self, at_ms: int) -> None:
        while (due := self.timing.deadline_ms) is not None and due < at_ms:
            self._settle(self.timing.expire(due + 1), due + 1)
            assert self.timing.deadline_ms is None or self.timing.deadline_ms > due, "it would expire for ever"

    def _settle(self, verdict: object, at_ms: int) -> None:
        held = verdict.held
        if held is Held.GIVE_BACK:
            self.got += "".join(key for _, key in self.held)
        if held is not Held.KEEP:
            self.longest_hold_ms = max([self.longest_hold_ms, *(at_ms - since for since, _ in self.held)])
            self.held.clear()
        if verdict.scan is not None:
            self.scans.append(verdict.scan)
        if verdict.refused is not None:
            self.refused.append(verdict.refused)


@pytest.mark.parametrize("per_key_ms", [1, 5, 20, 60, 110])
@pytest.mark.parametrize("end", [ENTER, "\t"])
def test_a_scan_at_any_speed_is_one_code_and_its_end_reaches_nobody(per_key_ms: int, end: str) -> None:
    window = Window().play(scanner(CODE, per_key_ms, end=end))
    assert window.scans == [CODE]
    assert window.refused == []
    assert end not in window.got
    assert len(window.got) <= 2  # a slow scanner's first keys are given back: characters, that nothing is done with
    if per_key_ms < HOLD_MS:
        assert window.got == ""


def test_the_times_of_a_recorded_scanner() -> None:
    """13–24 ms apart and one gap of 47 ms (lucasjahn/jQuery-Scanner-Detection#2)."""
    gaps = [13, 24, 15, 16, 47, 14, 22, 18, 13, 20, 17, 16]
    at_ms, strokes = 1000, []
    for key, gap in zip(CODE + ENTER, [*gaps, 0], strict=True):
        strokes.append(Stroke(at_ms, key, 5, shift=key.isupper()))
        at_ms += gap
    assert Window().play(strokes).scans == [CODE]


@pytest.mark.parametrize(
    "gaps",
    [[180, 95, 140, 230, 120], [90, 160, 75, 130], [70, 140, 95, 60, 120], [300], [110, 60, 150, 85, 140]],
)
def test_a_person_who_types_gets_every_key(gaps: list[int]) -> None:
    window = Window().play(person("RMA-10442", gaps))
    assert window.got == "RMA-10442"
    assert window.scans == window.refused == []


def test_a_persons_enter_is_a_persons() -> None:
    window = Window().play([*person("RMA-10442", [170, 95, 140]), Stroke(2600, ENTER, 80)])
    assert window.got == "RMA-10442\r"
    assert window.scans == []
    assert Window().play([Stroke(1000, ENTER, 80), Stroke(1400, " ", 80)]).got == "\r "


@pytest.mark.parametrize("text", ["a", "ab", "abc"])
def test_a_few_smashed_keys_and_enter_are_no_scan(text: str) -> None:
    window = Window().play(scanner(text, 8))
    assert window.scans == []
    assert window.got == text + ENTER


@pytest.mark.parametrize("key", [F8, DOWN, "\x1d", SHIFT, CAPS, ENTER, "\t"])
def test_what_no_code_begins_with_is_never_held(key: str) -> None:
    window = Window().play([Stroke(1000, key)])
    assert window.got == key
    assert window.longest_hold_ms == 0


def test_a_single_character_is_held_for_a_moment_only() -> None:
    window = Window().play([Stroke(1000, "5", 90)])
    assert window.got == "5"
    assert 0 < window.longest_hold_ms <= HOLD_MS + 1


def test_two_scans_in_a_row_and_cr_lf() -> None:
    strokes = [*scanner("RMA-1", 5), Stroke(1031, ENTER), Stroke(1035, DOWN), *scanner("RMA-2", 5, 1100)]
    window = Window().play(strokes)
    assert window.scans == ["RMA-1", "RMA-2"]
    assert window.got == ""
    assert Window().play([*scanner("RMA-1", 5), Stroke(1600, ENTER)]).got == ENTER  # a person's, later


def test_the_group_separator_and_the_shift_keys_are_part_of_it() -> None:
    code = "]d2010426012345678921HD7\x1d10A"
    strokes = scanner(code, 12)
    strokes += [Stroke(one.at_ms - 1, SHIFT, 4) for one in strokes if one.shift]
    window = Window().play(strokes)
    assert window.scans == [code]
    assert window.got in ("", SHIFT)


def test_caps_lock_of_the_keyboard_is_undone_and_the_scanners_own_is_not() -> None:
    typed = [
        Stroke(one.at_ms, one.key.swapcase(), one.lasts_ms, shift=one.shift) for one in scanner("]C1Rma-10442z", 10)
    ]
    assert Window().play(typed).scans == ["]C1Rma-10442z"]
    own = [Stroke(995, CAPS), *(Stroke(one.at_ms, one.key, 2) for one in scanner("RMA-10442", 10))]
    assert Window().play(own).scans == ["RMA-10442"]


def finger(key: str, at_ms: int) -> Stroke:
    return Stroke(at_ms, key, 90)


@pytest.mark.parametrize("per_key_ms", [5, 20])
@pytest.mark.parametrize("place", range(0, 13))
def test_a_finger_in_the_middle_of_a_scan_never_makes_a_wrong_code(per_key_ms: int, place: int) -> None:
    window = Window().play([*scanner(CODE, per_key_ms), finger("7", 1000 + place * per_key_ms - 1)])
    assert window.scans == []
    assert len(window.refused) >= 1
    assert ENTER not in window.got


def test_a_finger_that_is_quicker_than_any_goes_unnoticed() -> None:
    """The control: it is the time the key stays down that gives a finger away."""
    strokes = [*scanner(CODE, 20), Stroke(1045, "7", 1)]
    assert Window().play(strokes).scans == [CODE[:3] + "7" + CODE[3:]]


def test_a_scanner_that_presses_the_next_key_before_it_lifts_the_last() -> None:
    strokes = [Stroke(one.at_ms, one.key, 14, shift=one.shift) for one in scanner("RMA-2026-0017", 10)]
    assert Window().play(strokes).scans == ["RMA-2026-0017"]


@pytest.mark.parametrize("place", [1, 2, 5, 11])
def test_after_another_key_in_a_scan_its_rest_is_no_code(place: int) -> None:
    at_ms = 1000 + place * 10 - 2
    for stroke in (Stroke(at_ms, F8, 80), Stroke(at_ms, "5", 80, repeat=True)):
        window = Window().play([*scanner(CODE, 10), stroke])
        assert [code for code in window.scans if code != CODE[place:]] == []
        if place > 1:
            assert window.scans == []
            assert window.refused
        assert stroke.key in window.got  # the person's key does what it does


@pytest.mark.parametrize("place", [2, 4, 9, 12])
def test_a_scan_that_stalls_is_refused_and_its_second_half_too(place: int) -> None:
    strokes = scanner(CODE, 10)
    stalled = [Stroke(one.at_ms + (300 if n >= place else 0), one.key, 2) for n, one in enumerate(strokes)]
    window = Window().play(stalled)
    assert window.scans == []


def test_a_scanner_without_a_suffix_is_told_so() -> None:
    window = Window().play(scanner(CODE, 10, end=""))
    assert window.scans == []
    assert window.got == ""
    assert len(window.refused) == 1
    assert "Enter or Tab" in window.refused[0]


def test_a_character_that_did_not_arrive_is_no_smaller_code() -> None:
    strokes = scanner("RMA-10442", 10)
    strokes[3].key = "<dead>"
    window = Window().play(strokes)
    assert window.scans == []
    assert "keyboard country" in window.refused[0]


# --- text fields ------------------------------------------------------------------------------------------------------


def into(strokes: list[Stroke], until: int = 99) -> list[Stroke]:
    for n, one in enumerate(strokes):
        one.in_field = n < until
    return strokes


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("per_key_ms", [1, 20, 110])
def test_a_text_field_gets_its_keys_at_once(per_key_ms: int, prefix: bool) -> None:
    strokes = scanner(CODE, per_key_ms)
    if prefix:
        strokes.insert(0, Stroke(990, F9))
    window = Window(prefix=prefix).play(into(strokes))
    assert window.got == (F9 if prefix else "") + CODE + ENTER
    assert window.scans == window.refused == []
    assert window.longest_hold_ms == 0


def test_a_scan_that_began_outside_goes_on_outside() -> None:
    strokes = scanner(CODE, 10)
    for one in strokes[5:]:
        one.in_field = True
    window = Window().play(strokes)
    assert window.scans == [CODE]
    assert window.got == ""


def test_when_the_focus_leaves_a_field_in_a_scan_the_rest_presses_nothing() -> None:
    window = Window().play(into(scanner(CODE, 10), until=6))
    assert window.got == CODE[:6]
    assert window.scans == []
    assert "focus moved" in window.refused[0]


def test_a_person_may_leave_a_field_and_press_a_button() -> None:
    strokes = into(person("Anna\t", [140, 90, 170]))
    strokes += [Stroke(strokes[-1].at_ms + 120, ENTER, 80)]
    assert Window().play(strokes).got == "Anna\t\r"


def test_the_keyboard_goes_to_another_window() -> None:
    window = Window().play(scanner(CODE, 10, end="")[:6], until_ms=0)
    fresh = WedgeTiming()
    for n, key in enumerate("RMA-10"):
        fresh.press(Key(1000 + n * 5, Kind.CHARACTER, key, ord(key)))
        fresh.release(ord(key))
    verdict = fresh.abandon()
    assert verdict.refused is not None
    assert "another window" in verdict.refused
    assert fresh.deadline_ms is None
    assert window.scans == []


# --- prefix -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_key_ms", [1, 20, 60, 110, 140])
@pytest.mark.parametrize("text", [CODE, "7", "\x1d01"])
def test_behind_a_prefix_speed_and_length_do_not_matter(per_key_ms: int, text: str) -> None:
    window = Window(prefix=True).play([Stroke(1000, F9), *scanner(text, per_key_ms, 1000 + per_key_ms)])
    assert window.scans == [text]
    assert window.got == ""


def test_with_a_prefix_everything_else_passes_at_once() -> None:
    window = Window(prefix=True).play([*scanner(CODE, 5), *person("abc", [200], 2000)])
    assert window.got == CODE + ENTER + "abc"
    assert window.scans == []
    assert window.longest_hold_ms == 0


def test_the_prefix_key_by_itself_does_what_it_does() -> None:
    window = Window(prefix=True).play([Stroke(1000, F9, 80)])
    assert window.got == F9
    assert window.longest_hold_ms <= GAP_MS + 1


def test_a_prefixed_scan_without_its_end_is_refused() -> None:
    window = Window(prefix=True).play([Stroke(1000, F9), *scanner("RMA", 10, 1010, end="")])
    assert window.refused
    assert window.got == ""
    window = Window(prefix=True).play([Stroke(1000, F9), *scanner("RMA", 10, 1010, end=""), Stroke(1050, F9)])
    assert window.refused == ["a scan without its end; scan again"]


# --- anything ---------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*"aZ7- ", ENTER, "\t", F8, F9, SHIFT, CAPS, DOWN, "\x1d", "<dead>"]),
            st.integers(0, 400),
            st.integers(0, 200),
            st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=60,
    ),
    st.booleans(),
)
def test_any_keys_at_any_time_end_with_nothing_held(rows: list[tuple[str, int, int, bool, bool]], prefix: bool) -> None:
    at_ms, strokes = 1000, []
    for key, gap, lasts, in_field, repeat in rows:
        at_ms += gap
        strokes.append(Stroke(at_ms, key, lasts, in_field, repeat=repeat))
    window = Window(prefix=prefix).play(strokes)
    assert window.held == []
    assert window.timing.deadline_ms is None


def test_an_endless_scan_is_bounded() -> None:
    window = Window().play(scanner("x" * (MAX_KEYS + 500), 1))
    assert window.scans == []
    assert "more than" in window.refused[0]
