"""The whole app in one process: a real window, a real store, a scanner on a real pseudo-terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from station.config import Config, PrinterConfig, ScaleConfig, ScannerConfig, ScreenConfig, StationConfig, load_config
from station.errors import InvalidInput
from station.identify.commands import Command
from station.inspection.stepper import Site
from station.inspection.view import State
from station.review.own_key import own_key
from station.store.outbox import Unsent
from sync.client.identity import ENROLMENT
from sync.client.states import Link, SyncState
from tests.conftest import WarningsOnTheLog
from tests.station.inspection.bench import SHIRT, open_store
from ui.app import BenchApp
from ui.loops import is_enrolled
from ui.threads import Failed, Handled, LoopThread

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
PATIENCE_MS = 20_000


class Running:
    """An app with its scanner line in our hand."""

    def __init__(self, qtbot: QtBot, home: Path, feedback: str = "none") -> None:
        self.hand, device = _wire()
        self.second_hand, second = _wire()
        self.seen: list[Handled] = []
        config = Config(
            station=StationConfig(id="bench-1"),
            scanner=ScannerConfig(port=device, feedback=feedback),
            scanner_2=ScannerConfig(port=second, feedback=feedback),
        )
        self.app = BenchApp(home, config)
        qtbot.addWidget(self.app.window)
        self.app.desk.handled.connect(self.seen.append)
        self.app.window.show()
        self.app.start()
        self._qtbot = qtbot
        self.wait_for(State.IDLE)

    def scan(self, text: str, *, second: bool = False) -> None:
        os.write(self.second_hand if second else self.hand, text.encode() + b"\r")

    def heard(self, *, second: bool = False) -> bytes:
        """What the bench has said to a scanner since the last question."""
        hand = self.second_hand if second else self.hand
        return os.read(hand, 4096) if select.select([hand], [], [], 0.0)[0] else b""

    def wait_for(self, state: State, code: str | None = None) -> None:
        def there() -> bool:
            view = self.app.controller.view
            return view is not None and view.state is state and (code is None or view.notice.code == code)

        self._qtbot.waitUntil(there, timeout=PATIENCE_MS)

    def stop(self) -> None:
        self.app.stop()
        os.close(self.hand)
        os.close(self.second_hand)


def _wire() -> tuple[int, str]:
    """Our end of a pseudo-terminal, and the port at the other."""
    hand, device = os.openpty()
    tty.setraw(hand)
    tty.setraw(device)
    return hand, os.ttyname(device)


@pytest.fixture
def running(qtbot: QtBot, tmp_path: Path) -> Iterator[Running]:
    open_store(tmp_path).close()
    bench = Running(qtbot, tmp_path)
    yield bench
    bench.stop()


def test_a_scan_reaches_the_screen_without_focus(running: Running) -> None:
    running.scan("RMA-2026-004711")
    running.wait_for(State.ITEM)
    running.scan(SHIRT)
    running.wait_for(State.WEIGHT)


def test_the_app_knows_a_bench_that_joined_by_the_clients_own_file(tmp_path: Path) -> None:
    assert not is_enrolled(tmp_path)
    (tmp_path / ENROLMENT).touch()
    assert is_enrolled(tmp_path)


def test_a_bench_that_is_shut_out_says_so_and_what_to_do(running: Running, tmp_path: Path) -> None:
    """The bar as long as it is so, the banner when it happens; another banner is not wiped away."""
    window, controller = running.app.window, running.app.controller
    window.resize(1366, 768)
    unsent = Unsent(7, 0, None, 0)
    online = SyncState(Link.ONLINE, Unsent(0, 0, None, 0), "", None)
    revoked = SyncState(Link.PAUSED, unsent, "IT has shut this bench out", None, revoked=True)
    controller.on_sync(online)
    before = window.page.top_bar.grab().toImage()
    controller.on_sync(revoked)
    assert window.page.top_bar.sync_words == ("cloud-alert", "shut out – call IT · 7 waiting")
    assert "shut out" in window.page.top_bar.accessibleDescription()
    assert "Ask IT to let it in again" in window.page.banner.text
    assert window.page.banner.isVisible()
    after = window.page.top_bar.grab().toImage()
    assert after != before, "it is painted, not only said"
    assert window.grab().save(os.environ.get("STATION_TEST_PICTURE", str(tmp_path / "revoked.png")))
    controller.on_sync(online)
    assert window.page.banner.text == ""
    controller.on_sync(revoked)
    window.show_banner("The printer is out of paper")
    controller.on_sync(online)
    assert window.page.banner.text == "The printer is out of paper"
    assert window.page.top_bar.sync_words == ("cloud", "all sent")


def test_two_scanners_are_one_and_each_hears_what_became_of_its_scan(qtbot: QtBot, tmp_path: Path) -> None:
    open_store(tmp_path).close()
    bench = Running(qtbot, tmp_path, feedback="datalogic")
    try:
        qtbot.waitUntil(lambda: bench.heard() + bench.heard(second=True) != b"", timeout=PATIENCE_MS)
        bench.scan("RMA-2026-004711")
        bench.wait_for(State.ITEM)
        said = bytearray()
        qtbot.waitUntil(lambda: said.extend(bench.heard()) or b"\x01" in said, timeout=PATIENCE_MS)
        bench.scan("NOBODY-KNOWS-THIS", second=True)
        said.clear()
        qtbot.waitUntil(lambda: said.extend(bench.heard(second=True)) or b"F" in said, timeout=PATIENCE_MS)
        bench.scan(SHIRT, second=True)
        bench.wait_for(State.WEIGHT)
        assert b"F" not in bench.heard(), "the first scanner is not blamed"
    finally:
        bench.stop()


def test_no_scan_of_a_burst_is_lost_or_merged_or_reordered(running: Running, qtbot: QtBot) -> None:
    texts = [f"NOBODY-KNOWS-{number:04d}" for number in range(500)]
    first = len(running.seen)
    data = b"".join(text.encode() + b"\r" for text in texts)
    while data:
        data = data[os.write(running.hand, data[:1024]) :]
    qtbot.waitUntil(lambda: len(running.seen) >= first + len(texts), timeout=60_000)
    answered = [handled.outcome.view.notice.facts["scanned"] for handled in running.seen[first:]]
    assert answered == texts


def test_keys_and_scans_do_the_same(running: Running) -> None:
    running.app.window.command_given.emit(Command.NO_LABEL, "key")
    running.wait_for(State.ITEM)
    running.app.window.command_given.emit(Command.UNDO, "touch")
    running.wait_for(State.IDLE)
    running.scan("RSC-NO-LABEL")
    running.wait_for(State.ITEM)


def test_half_a_code_is_told_and_never_taken(running: Running, qtbot: QtBot) -> None:
    running.scan("X" * 5000)
    running.wait_for(State.IDLE, "scan_not_understood")


def test_skipping_names_the_device_that_is_missing(running: Running) -> None:
    running.scan("RMA-2026-004711")
    running.wait_for(State.ITEM)
    running.scan(SHIRT)
    running.wait_for(State.WEIGHT)
    running.app.window.command_given.emit(Command.SKIP, "key")
    running.wait_for(State.PHOTOS)


def test_a_second_app_on_the_same_home_says_so_and_changes_nothing(
    running: Running, qtbot: QtBot, tmp_path: Path
) -> None:
    other = BenchApp(tmp_path, Config(station=StationConfig(id="bench-1")))
    qtbot.addWidget(other.window)
    failures: list[Failed] = []
    other.desk.failed.connect(failures.append)
    other.start()
    qtbot.waitUntil(lambda: bool(failures), timeout=PATIENCE_MS)
    other.stop()
    assert "open" in str(failures[0].error)


def test_a_loop_that_crashes_is_reported_and_does_not_take_the_app_along(
    qtbot: QtBot, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings("ended by a defect")

    def broken(should_stop: object, emit: object) -> None:
        raise ValueError("a bug")

    thread = LoopThread("scale", broken)
    with qtbot.waitSignal(thread.crashed, timeout=PATIENCE_MS) as crashed:
        thread.start()
    assert crashed.args == ["scale", "a bug"]
    assert thread.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[statoin]\nid = "x"\n', "station"),
        ("[scale]\nbaut = 9600\n", "baud"),
        ("[scale\n", "TOML"),
        ("[scale]\nbaud = 1.5\n", "floating"),
    ],
)
def test_a_wrong_configuration_says_where_and_what(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "station.toml").write_text(text)
    with pytest.raises(InvalidInput, match=said):
        load_config(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        Config(scale=ScaleConfig(port="loop://", driver="abacus")),
        Config(printer=PrinterConfig(address="host:port")),
        Config(screen=ScreenConfig(theme="pink")),
    ],
)
def test_a_value_that_does_not_exist_is_refused_by_name(qtbot: QtBot, tmp_path: Path, config: Config) -> None:
    with pytest.raises(InvalidInput, match=r"abacus|host:port|pink"):
        BenchApp(tmp_path, config).start()


def test_sigterm_closes_the_bench_in_order(tmp_path: Path) -> None:
    """A logout must not look like a crash: the store says that it was closed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "--home", str(tmp_path), "run", "--window"],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    try:
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (tmp_path / "station.db").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (tmp_path / "station.db").exists()
        process.terminate()
        assert process.wait(PATIENCE_MS / 1000) == 0
    finally:
        process.kill()
    assert (tmp_path / "closed.json").exists()


def test_the_same_code_twice_in_a_moment_is_one_scan_and_no_error(running: Running, qtbot: QtBot) -> None:
    first = len(running.seen)
    running.scan("NOBODY-KNOWS-IT")
    running.scan("NOBODY-KNOWS-IT")
    running.scan("RMA-2026-004711")
    running.wait_for(State.ITEM)
    assert [handled.outcome.view.notice.code for handled in running.seen[first:]] == ["parcel_unknown", "scan_item"]


def test_units_of_the_app_are_drawn_with_the_benchs_own_key(running: Running, tmp_path: Path, qtbot: QtBot) -> None:
    sites: list[Site] = []
    running.app.desk.submit("looking", lambda desk: sites.append(desk._at.site))
    qtbot.waitUntil(lambda: bool(sites), timeout=PATIENCE_MS)
    (site,) = sites
    assert site.audit is not None
    assert site.audit.key.name == own_key(tmp_path).name
    assert site.audit.standings == {}, "nothing was settled here"
    assert site.review is not None
