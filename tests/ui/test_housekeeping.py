"""The app's line for housekeeping, and the command that tells of it: a real store, real files."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from click.testing import CliRunner

from station.config import BackupConfig
from station.store import Store
from station.store.backup import read_backup
from station.store.housekeeping import Report
from tests.station.store.store_lab import SteadyClock, inspection
from ui.cli.backup import backup
from ui.loops import HouseLine


def told(home: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(backup, list(arguments), obj=home, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value or 0, result.output


def test_the_line_waits_for_the_store_and_for_quiet_then_saves_to_the_configured_folder(
    home: Path, tmp_path: Path
) -> None:
    clock, stop, done = SteadyClock(), threading.Event(), threading.Event()
    reports: list[object] = []
    line = HouseLine(home, BackupConfig(folder=str(tmp_path / "share"), keep=1), clock)

    def emit(report: object) -> None:
        reports.append(report)
        done.set()

    thread = threading.Thread(target=line.loop, args=(stop.is_set, emit))
    thread.start()
    try:
        with Store.open(home, station="bench-1", clock=clock, ballast_bytes=0) as store:
            store.commit([inspection(1)], actor="ines", drafts={})
            line.begin(store)
            assert reports == []
            clock.move(seconds=61)
            assert done.wait(30)
            stop.set()
            thread.join(30)
    finally:
        stop.set()
        thread.join(30)
    (report,) = reports
    assert isinstance(report, Report)
    assert Path(report.saved_to).parent == tmp_path / "share"
    assert read_backup(Path(report.saved_to)).seq == 1


def test_the_command_tells_what_the_bench_did_by_itself(home: Path) -> None:
    home.mkdir(parents=True)
    code, said = told(home, "--last")
    assert code == 1
    assert "never saved" in said
    found = json.loads(told(home, "--last", "--json")[1])["findings"]
    assert [(one["name"], one["status"]) for one in found] == [("backup", "warn"), ("sweep", "ok")]
    assert set(found[0]) == {"name", "status", "detail", "fix"}
