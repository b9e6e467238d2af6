"""Simulated scales of the comma family, CAS, Yaohua and USB: their bytes against makers' tables, then our parsers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from devices.ports import Status
from devices.scale import DRIVERS
from devices.scale.frames import Garbage, Prompt, Reading
from devices.simulators.platform import CAPACITY_MG, Platform
from devices.simulators.voices import Voice
from devices.simulators.voices.cas import CasVoice
from devices.simulators.voices.hid import HidVoice
from devices.simulators.voices.ohaus import OhausVoice
from devices.simulators.voices.st_gs import AndVoice, CasLampVoice, DiniVoice, KernVoice
from devices.simulators.voices.yaohua import A12eVoice, ReversedVoice, YaohuaVoice

READ_GROSS = bytes.fromhex("02 41 42 30 33 03")


def loaded(gross_mg: int) -> Platform:
    platform = Platform(seed=1)
    platform.load(gross_mg, -10.0)
    return platform


@pytest.mark.parametrize(
    ("make", "gross_mg", "frame"),
    [
        (AndVoice, 12_345_000, b"ST,+0012.345 kg\r\n"),
        (AndVoice, 0, b"ST,+0000.000 kg\r\n"),
        (AndVoice, -5_000, b"ST,-0000.005 kg\r\n"),
        (AndVoice, 2 * CAPACITY_MG, b"OL,+9999.999 kg\r\n"),
        (CasLampVoice, 12_345_000, b"ST,GS,1\xc4,  12.345 kg\r\n"),
        (CasLampVoice, 0, b"ST,GS,1\xc5,   0.000 kg\r\n"),
        (CasLampVoice, 2 * CAPACITY_MG, b"OL,GS,1\x84,  ------ kg\r\n"),
        (DiniVoice, 12_345_000, b"ST,GS,  12.345,kg\r\n"),
        (lambda platform: DiniVoice(platform, af=True), 12_345_000, b"ST,1,    12.345kg,       0.000kg\r\n"),
        (YaohuaVoice, 12_345_000, bytes.fromhex("02 2B 30 31 32 33 34 35 33 31 39 03")),
        (ReversedVoice, -1_000_000 + 999_000, b"=100.000-"),
        (ReversedVoice, 12_345_000, b"=543.2100"),
        (A12eVoice, 4_139_000, b"WG004.139kg3D\r\n"),
        (A12eVoice, 2 * CAPACITY_MG, b"         OL23\r\n"),
        (HidVoice, 500_000, bytes.fromhex("03 04 02 00 F4 01")),
        (HidVoice, 0, bytes.fromhex("03 02 02 00 00 00")),
        (HidVoice, -3_000, bytes.fromhex("03 05 02 00 03 00")),
        (HidVoice, 2 * CAPACITY_MG, bytes.fromhex("03 06 02 00 00 00")),
    ],
)
def test_what_they_send_by_themselves(make: Callable[[Platform], Voice], gross_mg: int, frame: bytes) -> None:
    assert make(loaded(gross_mg)).speak(0.0) == frame


def test_ten_times_a_second() -> None:
    voice = AndVoice(loaded(1_000_000))
    spoken = b"".join(voice.speak(step / 100) for step in range(100))
    assert spoken == b"ST,+0001.000 kg\r\n" * 10


def test_a_and_d_commands() -> None:
    platform = loaded(1_000_000)
    voice = AndVoice(platform)

    def ask(command: bytes, now: float) -> bytes:
        voice.hear(command + b"\r\n", now)
        return voice.speak(now)

    assert ask(b"C", 0.0) == b""
    assert ask(b"Q", 1.0) == b"ST,+0001.000 kg\r\n"
    assert voice.speak(9.0) == b""
    platform.load(2_000_000, 10.0)
    assert re.fullmatch(rb"US,[+]000[0-9.]{5} kg\r\n", ask(b"SI", 10.1))
    assert ask(b"S", 10.2) == b""
    assert voice.speak(10.7) == b"ST,+0002.000 kg\r\n"
    assert ask(b"T", 11.0) == b"\x06\r\n"
    assert ask(b"Q", 11.0) == b"ST,+0000.000 kg\r\n"
    assert ask(b"nonsense", 11.0) == b"EC,E01\r\n"
    assert ask(b"SIR", 12.0) == b"ST,+0000.000 kg\r\n"
    assert voice.speak(12.2) == b"ST,+0000.000 kg\r\n"


def test_dini_and_kern_answer() -> None:
    dini = DiniVoice(loaded(12_345_000))
    dini.hear(b"READ\r\n", 0.0)
    assert dini.speak(0.0) == b"ST,GS,  12.345,kg\r\n"
    dini.hear(b"READF\r\nTARE\r\nREAD\r\n", 0.0)
    assert dini.speak(0.0) == b"ERR04\r\nOK\r\nST,NT,   0.000,kg\r\n"
    platform = loaded(12_345_000)
    kern = KernVoice(platform)
    assert kern.speak(0.0) == b""
    kern.hear(b"w", 0.0)
    assert kern.speak(0.0) == b"      12.345 kg \r\n"
    platform.load(0, 1.0)
    kern.hear(b"w", 1.1)
    assert re.fullmatch(rb" [ -][ .\d]{10} \r\n", kern.speak(1.1))
    kern.hear(b"s", 1.2)
    assert kern.speak(1.2) == b""
    assert kern.speak(2.0) == b"       0.000 kg \r\n"


def test_the_handshake_of_cas() -> None:
    platform = loaded(1_234_000)
    voice = CasVoice(platform, naks=3)
    for _ in range(3):
        voice.hear(b"\x05", 0.0)
        assert voice.speak(0.0) == b"\x15"
    voice.hear(b"\x05", 0.0)
    assert voice.speak(0.0) == b"\x06"
    voice.hear(b"\x11", 0.0)
    assert voice.speak(0.0) == bytes.fromhex("01 02 53 20 30 31 2E 32 33 34 6B 67 65 03 04")
    platform.load(2 * CAPACITY_MG, 1.0)
    voice.hear(b"\x11", 2.0)
    assert voice.speak(2.0)[3:4] == b"F"


def test_yaohua_answers_only_commands_whose_check_agrees() -> None:
    platform = loaded(12_345_000)
    voice = YaohuaVoice(platform, push=False)
    voice.hear(READ_GROSS, 0.0)
    assert voice.speak(0.0) == b"\x02AB+01234531A\x03"
    voice.hear(READ_GROSS[:4] + b"4\x03", 0.0)
    assert voice.speak(0.0) == b""
    other = YaohuaVoice(platform, push=False, letters=False)
    other.hear(READ_GROSS, 0.0)
    assert other.speak(0.0) == b"\x02AB+01234531:\x03"


@pytest.mark.parametrize(
    ("driver", "make", "ask"),
    [
        ("st_gs", AndVoice, b""),
        ("st_gs", CasLampVoice, b""),
        ("st_gs", DiniVoice, b""),
        ("st_gs", lambda platform: DiniVoice(platform, af=True), b""),
        ("st_gs", KernVoice, b"w"),
        ("cas", CasVoice, b"\x05"),
        ("cas", lambda platform: CasVoice(platform, with_eot=False), b"\x05"),
        ("yaohua", YaohuaVoice, b""),
        ("yaohua", lambda platform: YaohuaVoice(platform, push=False, letters=False), READ_GROSS),
        ("yaohua", ReversedVoice, b""),
        ("yaohua", A12eVoice, b""),
        ("hid", HidVoice, b""),
        ("print_string", OhausVoice, b""),
    ],
)
def test_our_parsers_understand_all_they_say(driver: str, make: Callable[[Platform], Voice], ask: bytes) -> None:
    platform = Platform(seed=3)
    voice, parser = make(platform), DRIVERS[driver].parser()
    readings: list[Reading] = []
    refused: list[Garbage] = []
    for step in range(500):
        now = step / 50
        if step in (50, 300):
            platform.load(288_000 if step == 50 else 2 * CAPACITY_MG, now)
        if step == 400:
            platform.load(-5_000, now)
        if step % 5 == 0 and ask:
            voice.hear(ask, now)
        for frame in parser.feed(voice.speak(now)) + parser.idle():
            if isinstance(frame, Prompt):
                voice.hear(frame.send, now)
            elif isinstance(frame, Reading):
                readings.append(frame)
            elif isinstance(frame, Garbage):
                refused.append(frame)
    assert all("to believe it" in garbage.reason for garbage in refused)
    assert len(refused) <= 2
    shown = [r.mass.milligrams for r in readings if r.mass and r.status is Status.OK]
    assert {0, 288_000, -5_000} <= set(shown)
    settled = {r.mass.milligrams for r in readings if r.mass and r.stable}
    assert settled <= {0, 288_000, -5_000}
    if driver != "yaohua":
        assert Status.MOTION in {r.status for r in readings}
    if driver != "yaohua" or make is A12eVoice:  # the others send nothing then
        assert {Status.OVERLOAD, Status.FAULT} & {r.status for r in readings}
