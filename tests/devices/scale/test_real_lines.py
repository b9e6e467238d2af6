"""From a simulated scale through the kernel's pseudo-terminal and the real loop to an accepted weight, per protocol."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.ports import DeviceEvent, Light, LightChanged, WeightAccepted
from devices.scale import DRIVERS, Scale
from devices.simulators.line import PtyLine
from devices.simulators.platform import Platform
from devices.simulators.voices import Voice
from devices.simulators.voices.cas import CasVoice
from devices.simulators.voices.hid import HidVoice
from devices.simulators.voices.st_gs import AndVoice, CasLampVoice, DiniVoice, KernVoice
from devices.simulators.voices.yaohua import A12eVoice, ReversedVoice, YaohuaVoice
from devices.supervisor import Supervisor
from devices.transport import open_transport
from station.inspection.facts import StableSource

LOAD_MG = 1_288_000


@pytest.mark.parametrize(
    ("driver", "make", "poll", "stable"),
    [
        ("st_gs", AndVoice, None, StableSource.SCALE),
        ("st_gs", AndVoice, b"Q\r\n", StableSource.SCALE),
        ("st_gs", CasLampVoice, None, StableSource.SCALE),
        ("st_gs", DiniVoice, b"READ\r\n", StableSource.SCALE),
        ("st_gs", KernVoice, b"w", StableSource.SCALE),
        ("cas", lambda platform: CasVoice(platform, naks=2), None, StableSource.SCALE),
        ("cas", lambda platform: CasVoice(platform, with_eot=False), None, StableSource.SCALE),
        ("yaohua", YaohuaVoice, None, StableSource.INFERRED),
        (
            "yaohua",
            lambda platform: YaohuaVoice(platform, push=False),
            bytes.fromhex("024142303303"),
            StableSource.INFERRED,
        ),
        ("yaohua", ReversedVoice, None, StableSource.INFERRED),
        ("yaohua", A12eVoice, None, StableSource.INFERRED),
        ("hid", HidVoice, None, StableSource.SCALE),
    ],
    ids=["and", "and-q", "cas22", "dini", "kern", "cas", "cas-no-eot", "tf0", "command", "tf2", "a12e", "hid"],
)
def test_a_load_becomes_a_weight(
    tmp_path: Path, driver: str, make: Callable[[Platform], Voice], poll: bytes | None, stable: StableSource
) -> None:
    port = PtyLine(tmp_path / "port")
    platform = Platform(seed=1)
    voice = make(platform)
    row = DRIVERS[driver]
    scale = Scale("scale-1", row, poll=poll)
    events: list[DeviceEvent] = []
    stopping = threading.Event()
    supervisor = Supervisor(scale, lambda: open_transport(port.port, row.line), port=port.port)
    thread = threading.Thread(target=supervisor.run, args=(stopping.is_set, events.append), daemon=True)
    deadline = time.monotonic() + 20
    thread.start()
    try:
        scale.ask()
        put = False
        while not any(isinstance(event, WeightAccepted) for event in list(events)):
            now = time.monotonic()
            assert now < deadline, events[-5:]
            if heard := port.read(0.01):
                voice.hear(heard, now)
            if spoken := voice.speak(now):
                port.write(spoken)
            if not put and any(isinstance(e, LightChanged) and e.light is Light.WORKING for e in list(events)):
                platform.load(LOAD_MG, now)
                put = True
    finally:
        stopping.set()
        thread.join(5)
        port.close()
    accepted = [event.reading for event in events if isinstance(event, WeightAccepted)]
    assert [(reading.gross_mg, reading.stable_source) for reading in accepted] == [(LOAD_MG, stable)]
