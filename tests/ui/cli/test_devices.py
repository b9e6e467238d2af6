"""``station devices`` as a person or a script runs it: real processes, real pseudo-terminals."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.capture import read_capture
from devices.simulators.line import PtyLine

Document = dict[str, Any]


class Running:
    """``station devices …`` in a process of its own; its stdout comes line by line."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", "devices", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[Document] = []
        self.errors: list[str] = []
        self._threads = [threading.Thread(target=target) for target in (self._read_out, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read_out(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr
        self.errors += (line.rstrip() for line in self.process.stderr)

    def wait_for(self, wanted: Callable[[Document], bool]) -> Document:
        """The next document that fits; every line before it must be a JSON document too."""
        deadline = time.monotonic() + 20
        while True:
            line = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, (self.seen[-5:], self.errors)
            document = json.loads(line)
            self.seen.append(document)
            if wanted(document):
                return document

    def rest(self) -> list[Document]:
        while (line := self._lines.get(timeout=20)) is not None:
            self.seen.append(json.loads(line))
        return self.seen

    def tell(self, **command: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        self.wait_for(lambda document: document.get("done") == command)

    def end(self) -> int:
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            code = self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            for thread in self._threads:
                thread.join(5)
            for stream in (self.process.stdout, self.process.stderr):
                if stream:
                    stream.close()
        return code


@pytest.fixture
def station() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*words: str | Path) -> Running:
        started.append(Running(*map(str, words)))
        return started[-1]

    yield start
    for running in started:
        running.process.terminate()
        running.end()


def port_of(simulator: Running) -> str:
    return str(simulator.wait_for(lambda document: "port" in document)["port"])


def accepted(document: Document) -> bool:
    return bool(document["event"] == "accepted")


@pytest.mark.parametrize(("driver", "link"), [("mt_sics", True), ("print_string", True), ("mt_sics", False)])
def test_a_simulated_scale_is_watched_through_an_unplug(
    station: Callable[..., Running], tmp_path: Path, driver: str, link: bool
) -> None:
    where = ["--link", tmp_path / "scale"] if link else ["--tcp"]
    scale = station("simulate", "scale", "--driver", driver, "--seed", "7", *where)
    watch = station("watch", port_of(scale), "--driver", driver, "--json")
    watch.wait_for(lambda d: d["gross_mg"] == 0 and d["stable"])
    scale.tell(do="put", gross_mg=288_000)
    final = watch.wait_for(accepted)
    assert final == {
        "event": "accepted",
        "status": "ok",
        "gross_mg": 288_000,
        "unit": "kg",
        "stable": True,
        "raw_hex": final["raw_hex"],
    }
    assert b"0.288 kg" in bytes.fromhex(final["raw_hex"])
    scale.tell(do="unplug", seconds=0.3)
    scale.tell(do="noise", hex="00007f7f")
    scale.tell(do="overload")
    over = watch.wait_for(lambda d: d["status"] == "overload")
    assert over["gross_mg"] is None
    assert not over["stable"]
    scale.tell(do="remove")
    scale.tell(do="put", gross_mg=1_500_000)
    assert watch.wait_for(accepted)["gross_mg"] == 1_500_000
    watch.process.send_signal(signal.SIGINT)
    everything = watch.rest()
    assert watch.end() == 0
    assert {frozenset(d) for d in everything} == {
        frozenset({"event", "status", "gross_mg", "unit", "stable", "raw_hex"})
    }
    assert [d["gross_mg"] for d in everything if accepted(d)] == [288_000, 1_500_000]
    assert any("gone" in line for line in watch.errors)
    assert not any("Traceback" in line for line in watch.errors)


def test_scans_are_watched(station: Callable[..., Running], tmp_path: Path) -> None:
    scanner = station("simulate", "scanner", "--link", tmp_path / "scanner")
    watch = station("watch", port_of(scanner), "--driver", "line", "--json")
    wait_until(lambda: "working" in watch.errors)
    scanner.tell(do="scan", text="RMA-10442", aim="]C0")
    scanner.tell(do="scan", text="0104260123456789\x1d21HD7", aim="]d2")
    scanner.tell(do="bytes", hex="52 4d 41")
    scanner.tell(do="unplug", seconds=0.2)
    wait_until(lambda: watch.errors.count("working") == 2)
    scanner.tell(do="scan", text="4006381333931")
    watch.wait_for(lambda d: d["text"] == "4006381333931")
    assert watch.seen == [
        {"event": "scan", "text": "RMA-10442", "aim": "]C0", "raw_hex": b"]C0RMA-10442".hex()},
        {
            "event": "scan",
            "text": "0104260123456789\x1d21HD7",
            "aim": "]d2",
            "raw_hex": b"]d20104260123456789\x1d21HD7".hex(),
        },
        {"event": "scan", "text": "4006381333931", "aim": None, "raw_hex": b"4006381333931".hex()},
    ]
    assert any("half a code" in line for line in watch.errors)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_capture_and_replay_are_a_round_trip(station: Callable[..., Running], tmp_path: Path) -> None:
    scale = station("simulate", "scale", "--driver", "print_string", "--link", tmp_path / "scale")
    port = port_of(scale)
    first = tmp_path / "first.txt"
    recording = station("capture", port, "--out", first)
    wait_until(lambda: first.exists() and first.stat().st_size > 500)
    scale.tell(do="put", gross_mg=288_000)
    scale.tell(do="wait", seconds=0.8)
    recording.process.send_signal(signal.SIGINT)
    assert recording.end() == 0
    recorded = read_capture(first)

    player = station("replay", first, "--link", tmp_path / "again", "--wait", "5")
    again = tmp_path / "second.txt"
    listener = station("capture", port_of(player), "--out", again)
    done = player.wait_for(lambda d: "done" in d)
    assert player.end() == 0
    assert listener.end() == 3  # the port went away: said, and nothing recorded is lost
    replayed = read_capture(again)
    data = b"".join(chunk.data for chunk in recorded)
    assert b"".join(chunk.data for chunk in replayed) == data
    assert done["done"]["bytes"] == len(data)
    assert replayed[-1].seconds == pytest.approx(recorded[-1].seconds, abs=0.5)


@pytest.mark.parametrize(
    ("name", "right"),
    [("ohaus_defender3000_hex.txt", [360_000]), ("tscale_nhb.txt", []), ("tscale_qhw.txt", [])],
)
def test_real_captures_through_the_whole_path(
    station: Callable[..., Running], shared_data: Path, name: str, right: list[int]
) -> None:
    player = station("replay", shared_data / "scales" / name, "--speed", "30", "--wait", "2")
    watch = station("watch", port_of(player), "--driver", "print_string", "--json")
    player.wait_for(lambda d: "done" in d)
    watch.process.send_signal(signal.SIGTERM)
    everything = watch.rest()
    assert watch.end() == 0
    assert [d["gross_mg"] for d in everything if accepted(d)] == right
    weights = {(d["gross_mg"], d["stable"]) for d in everything if d["gross_mg"] is not None}
    assert weights == {(mass, True) for mass in right}


def test_a_scale_that_sends_no_unit_is_watched_in_the_unit_it_is_set_to(
    station: Callable[..., Running], tmp_path: Path
) -> None:
    port = PtyLine(tmp_path / "scale")
    stopping = threading.Event()

    def answer() -> None:
        while not stopping.is_set():
            if b"W" in port.read(0.02):
                port.write(b"\x0212.345\r")

    scale = threading.Thread(target=answer)
    scale.start()
    try:
        watch = station("watch", port.port, "--driver", "toledo_8217", "--unit", "lb", "--json")
        weight = watch.wait_for(accepted)
        assert (weight["gross_mg"], weight["unit"], weight["stable"]) == (5_599_598, "lb", True)
    finally:
        stopping.set()
        scale.join()
        port.close()


def test_a_live_line_for_people(station: Callable[..., Running], tmp_path: Path) -> None:
    port = PtyLine(tmp_path / "scale")
    watch = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "devices", "watch", port.port, "--driver", "print_string", "--seconds", "2"],
        stdout=subprocess.PIPE,
        text=True,
    )
    while watch.poll() is None:
        port.write(b"   0.360 kg    G\r\n")
        port.read(0.1)
    text = watch.communicate()[0]
    port.close()
    assert "360 g  ok" in text
    assert "360 g  accepted" in text
    assert text.count("accepted") == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["watch", "/dev/no-such-port", "--driver", "mt_sics"], 3, "no such port"),
        (["watch", "/dev/null", "--driver", "abacus"], 2, "'mt_sics', 'toledo_continuous'"),
        (["watch", "/dev/null", "--driver", "sma", "--unit", "kg"], 2, "leave unit = 'kg' out"),
        (["watch", "/dev/null", "--driver", "toledo_8217", "--unit", "stone"], 2, "not in 'stone'"),
        (["capture", "/dev/no-such-port", "--out", "x"], 3, "no such port"),
        (["replay", "no-such-file"], 2, "no-such-file"),
        (["simulate", "scale", "--link", "/no/such/folder/link"], 3, "link"),
    ],
)
def test_what_cannot_be_done_says_why(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ui.cli", "devices", *words], capture_output=True, text=True, cwd=tmp_path, timeout=30
    )
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_simulator_ends_with_its_stdin_and_refuses_nonsense(station: Callable[..., Running], tmp_path: Path) -> None:
    link = tmp_path / "scale"
    quiet = station("simulate", "scale", "--link", link)
    port_of(quiet)
    assert link.is_symlink()
    assert quiet.end() == 0
    assert not link.is_symlink()
    stopped = station("simulate", "scanner", "--link", link)
    port_of(stopped)
    stopped.process.terminate()
    stopped.process.wait(10)
    assert stopped.end() == 0
    assert not link.is_symlink()
    wrong = station("simulate", "scale")
    port_of(wrong)
    assert wrong.process.stdin
    wrong.process.stdin.write('{"do":"dance"}\n')
    assert wrong.end() == 2
    assert any("dance" in line and "put, remove" in line for line in wrong.errors)


def test_a_script_file_goes_first(station: Callable[..., Running], tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text('# an item\n{"do":"put","gross_mg":5000}\n{"do":"wait","seconds":0.1}\n')
    scale = station("simulate", "scale", "--script", script, "--script", "-")
    scale.wait_for(lambda d: d.get("done") == {"do": "wait", "seconds": 0.1})
    scale.tell(do="remove")
    scale.tell(do="quit")
    assert scale.end() == 0
    dones = [document["done"]["do"] for document in scale.seen if "done" in document]
    assert dones == ["put", "wait", "remove", "quit"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the parent's end")
def test_a_simulator_dies_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text('{"do":"wait","seconds":60}\n')
    words = [sys.executable, "-m", "ui.cli", "devices", "simulate", "scanner", "--script", str(script)]
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)\n"
            "child.stdout.readline()\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(60)",
            *words,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not alive(child))


def alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
