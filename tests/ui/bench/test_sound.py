"""Sounds: distinct by rhythm, started by whatever player there is, never waited for."""

from __future__ import annotations

import sys
import wave
from collections.abc import Sequence
from itertools import pairwise

import pytest
from pytestqt.qtbot import QtBot

from station.assets import asset
from station.inspection.view import Tone
from ui.widgets.sound import SoundPlayer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows plays through winsound")


def _pulses(tone: Tone) -> list[tuple[int, int, int]]:
    """(start ms, length ms, pitch Hz by zero crossings) of each stretch of sound."""
    with wave.open(str(asset("sounds", f"{tone.value}.wav"))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        rate = file.getframerate()
        samples = memoryview(file.readframes(file.getnframes())).cast("h").tolist()
    window = rate // 200
    loud = [max(map(abs, samples[i : i + window])) > 900 for i in range(0, len(samples), window)]
    pulses, start = [], None
    for index, on in enumerate([*loud, False]):
        if on and start is None:
            start = index
        elif not on and start is not None:
            part = samples[start * window : index * window]
            rising = sum(1 for a, b in pairwise(part) if a < 0 <= b)
            pulses.append((start * 5, (index - start) * 5, rising * rate // max(1, len(part))))
            start = None
    return pulses


def test_accept_is_one_short_high_sound() -> None:
    (pulse,) = _pulses(Tone.ACCEPT)
    assert pulse[1] <= 150
    assert pulse[2] > 1500


def test_reject_is_two_low_pulses() -> None:
    first, second = _pulses(Tone.REJECT)
    assert max(first[2], second[2]) < 300
    assert second[0] > first[0] + first[1]


def test_attention_rises_three_times() -> None:
    pitches = [pitch for _, _, pitch in _pulses(Tone.ATTENTION)]
    assert len(pitches) == 3
    assert pitches == sorted(set(pitches))


def test_a_tick_is_hardly_there() -> None:
    (pulse,) = _pulses(Tone.TICK)
    assert pulse[1] <= 40


def test_the_first_player_found_plays_the_file(qtbot: QtBot) -> None:
    started: list[tuple[str, list[str]]] = []

    def start(program: str, arguments: Sequence[str]) -> None:
        started.append((program, list(arguments)))

    player = SoundPlayer(find=lambda name: f"/usr/bin/{name}" if name == "aplay" else None, start=start)
    assert player.can_play
    for tone in Tone:
        player.play(tone)
    assert player.wait()
    assert started == [("/usr/bin/aplay", ["-q", str(asset("sounds", f"{tone.value}.wav"))]) for tone in Tone]


def test_without_a_player_it_is_silent(qtbot: QtBot) -> None:
    started: list[str] = []
    player = SoundPlayer(find=lambda name: None, start=lambda program, arguments: started.append(program))
    assert not player.can_play
    player.play(Tone.REJECT)
    assert player.wait()
    assert started == []


def test_muted(qtbot: QtBot) -> None:
    started: list[str] = []
    player = SoundPlayer(find=lambda name: name, start=lambda program, arguments: started.append(program))
    player.muted = True
    player.play(Tone.ACCEPT)
    assert player.wait()
    assert started == []
