"""Training in the bench's own window: it says so, and reaches nothing real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from station.config import Config, PrinterConfig, ScaleConfig, ScannerConfig, StationConfig, SyncConfig
from station.errors import InvalidInput
from station.identify.commands import Command
from station.inspection.view import State
from tests.station.training.training_lab import ITEMS
from ui.training import MARK, TrainingApp, make_room, training_config, training_home

PATIENCE_MS = 20_000


@pytest.fixture
def training(qtbot: QtBot, tmp_path: Path) -> Iterator[TrainingApp]:
    folder = training_home(tmp_path / "real")
    make_room(folder)
    app = TrainingApp(folder, Config(station=StationConfig(inspector="Ana")), ITEMS, tmp_path / "real")
    qtbot.addWidget(app.window)
    app.window.resize(1366, 768)
    app.window.show()
    app.start()
    yield app
    app.stop()


def test_the_window_says_training_and_gives_feedback(qtbot: QtBot, training: TrainingApp) -> None:
    def stands_at(state: State) -> bool:
        view = getattr(training.controller, "view", None)
        return view is not None and view.state is state

    def give(command: Command, state: State) -> None:
        training.window.command_given.emit(command, "key")
        qtbot.waitUntil(lambda: stands_at(state), timeout=PATIENCE_MS)

    qtbot.waitUntil(lambda: stands_at(State.QUESTIONS), timeout=PATIENCE_MS)
    band = training.window.page.band
    assert band.mark == MARK
    assert MARK in training.window.windowTitle()
    give(Command.CHOICE_2, State.DONE)
    assert band.shown[2] == "Grade A, as agreed"
    assert band.mark == MARK, "no notice takes it away"
    training.window.grab()
    assert band.overflow == []
    give(Command.CONFIRM, State.QUESTIONS)
    assert len(training.session.done) == 1


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    folder = training_home(tmp_path / "home")
    make_room(folder)
    (folder / "station.db").touch()
    make_room(folder)
    assert not (folder / "station.db").exists()
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "station.db").write_text("mine")
    with pytest.raises(InvalidInput, match="not touched"):
        make_room(stranger)
    assert (stranger / "station.db").read_text() == "mine"


REAL = """
[station]
id = "bench-1"
inspector = "Ana"
[sync]
server = "http://127.0.0.1:9"
[printer]
address = "127.0.0.1:9"
[scale]
port = "socket://127.0.0.1:9"
[scanner]
port = "socket://127.0.0.1:9"
"""
"""A bench whose every device and server would be reached by a socket."""

_PLAY = """
import json, sys
from pathlib import Path
sockets = []
sys.addaudithook(lambda event, given: sockets.append(event) if event.startswith("socket.connect") else None)
from PySide6.QtCore import QTimer
from station.config import load_config
from station.identify.commands import Command
from station.inspection.view import State
from ui.app import BenchApp, make_application
from ui.training import TrainingApp, make_room, shipped_items, training_home
home, kind = Path(sys.argv[1]), sys.argv[2]
application = make_application(["x"])
config = load_config(home)
if kind == "training":
    make_room(training_home(home))
    bench = TrainingApp(training_home(home), config, shipped_items(), home)
else:
    bench = BenchApp(home, config)
bench.window.show()
bench.start()
def shown(handled, generation):
    state = handled.outcome.view.state
    if kind == "training" and state is State.QUESTIONS and len(bench.session.done) < 2:
        bench.window.command_given.emit(Command.CHOICE_1, "key")
    elif kind == "training" and len(bench.session.done) < 2:
        bench.window.command_given.emit(Command.CONFIRM, "key")
    elif kind == "training":
        application.quit()
bench.controller.shown.connect(shown)
def look():
    if kind == "real" and sockets:
        application.quit()
clock = QTimer(); clock.timeout.connect(look); clock.start(50)
QTimer.singleShot(25_000, application.quit)
application.exec()
done = len(bench.session.done) if kind == "training" else 0
bench.stop()
print(json.dumps({"sockets": sockets, "done": done}))
"""


def _play(home: Path, kind: str) -> dict[str, object]:
    found = subprocess.run(
        [sys.executable, "-c", _PLAY, str(home), kind], capture_output=True, timeout=120, check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    said: dict[str, object] = json.loads(found.stdout.splitlines()[-1])
    return said


def test_training_opens_no_socket_and_writes_nothing_into_the_real_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "station.toml").write_text(REAL)
    before = {path: path.stat().st_mtime_ns for path in [home, *home.rglob("*")]}
    said = _play(home, "training")
    assert said == {"sockets": [], "done": 2}
    assert {path: path.stat().st_mtime_ns for path in [home, *home.rglob("*")]} == before
    assert (training_home(home) / "station.db").exists()


def test_the_same_bench_in_earnest_would_have_been_noticed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "station.toml").write_text(REAL)
    assert _play(home, "real")["sockets"]
    assert (home / "station.db").exists()


def test_what_training_takes_of_a_configuration_has_no_way_out() -> None:
    real = Config(
        scanner=ScannerConfig(port="/dev/ttyACM0"),
        scanner_2=ScannerConfig(port="rfc2217://elsewhere:2217"),
        scale=ScaleConfig(port="/dev/ttyUSB0"),
        printer=PrinterConfig(address="192.0.2.1"),
        sync=SyncConfig(server="https://centre.example"),
    )
    made = training_config(real)
    assert made == Config(
        station=StationConfig(id="training", name=real.station.name), scanner=ScannerConfig(port="/dev/ttyACM0")
    )
