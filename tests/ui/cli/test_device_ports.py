"""``station devices list`` and ``pair``, as a person or a script uses them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.discovery.inventory import Found, serial_devices
from devices.discovery.listing import ListedPort
from devices.locks import Holder
from devices.simulators.line import PtyLine
from devices.simulators.scale import ScaleSimulator
from devices.transport import LineSettings, open_transport
from station.config import Config, ScannerConfig, load_config
from station.errors import OperatorError
from station.paired import pair
from ui.cli.devices.ports import candidates_for, lines_of, propose, refuse_second_role
from ui.cli.group import run

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(["--home", str(home), "devices", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.fixture
def scale(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts a simulated scale and says where it is."""
    stopping, started = threading.Event(), []

    def start(driver: str) -> str:
        line, simulator = PtyLine(tmp_path / f"port-{driver}"), ScaleSimulator(driver, 1)
        simulator.do({"do": "put", "gross_mg": 200_000}, time.monotonic())

        def serve() -> None:
            while not stopping.is_set():
                simulator.hear(line.read(0.01), time.monotonic())
                line.write(simulator.speak(time.monotonic()))

        thread = threading.Thread(target=serve)
        thread.start()
        started.append((thread, line))
        return line.port

    yield start
    stopping.set()
    for thread, line in started:
        thread.join()
        line.close()


# list


def test_the_list_is_one_document_and_names_what_is_not_there(cli: Cli, home: Path) -> None:
    pair(home, "scale", {"port": "usb:0403:6001:A10KXYZ7"})
    code, out, err = cli("list", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["absent"] == [{"role": "scale", "port": "usb:0403:6001:A10KXYZ7"}]
    keys = {"kind", "port", "key", "name", "probably", "roles", "held_by", "problems"}
    assert all(set(device) == keys for device in document["devices"])


def test_the_list_for_people_says_what_is_not_plugged_in(cli: Cli, home: Path) -> None:
    pair(home, "scanner", {"port": "usb:05e0:1701:S1"})
    code, out, _ = cli("list")
    assert code == 0
    assert "scanner: usb:05e0:1701:S1 is not plugged in" in out


def test_each_device_has_its_lines_and_an_empty_list_says_what_to_do() -> None:
    config = Config(scanner=ScannerConfig(port="/dev/ttyACM0"))
    found = serial_devices(
        (FTDI, CH340, ZEBRA), who_holds=lambda path: Holder(7, "minicom") if "USB0" in path else None
    )
    text = "\n".join(lines_of(found, [{"role": "scale", "port": "hid:0922:8003"}], config))
    assert "usb:0403:6001:A10KXYZ7   in use by minicom (process 7)" in text
    assert "usb:05e0:1701:S12345   paired: scanner" in text
    assert "! it has no number of its own, so it is known by its socket: always plug it into the same socket" in text
    assert "scale: hid:0922:8003 is not plugged in" in text
    (nothing,) = lines_of((), [], config)
    assert "plug one in" in nothing


def test_a_wrong_file_is_told(cli: Cli, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "devices.toml").write_text('[scale]\nprot = "x"\n')
    code, out, err = cli("list")
    assert (code, out) == (2, "")
    assert "devices.toml:2: unknown key 'prot' in scale; did you mean 'port'" in err


# pair


@pytest.mark.parametrize(
    ("driver", "found"), [pytest.param("mt_sics", "mt_sics", marks=pytest.mark.slow), ("st_gs", "st_gs")]
)
def test_a_scale_is_recognised_and_paired(
    cli: Cli, home: Path, scale: Callable[[str], str], driver: str, found: str
) -> None:
    port = scale(driver)
    code, out, _ = cli("pair", "scale", port)
    assert code == 0
    assert f"it speaks {found} at 9600 8N1" in out
    assert "after its next start" in out
    config = load_config(home).scale
    assert (config.port, config.driver) == (port, found)


def test_json_of_a_pairing_with_detection(cli: Cli, home: Path, scale: Callable[[str], str]) -> None:
    port = scale("toledo_continuous")
    code, out, err = cli("pair", "scale", port, "--set", "unit=kg", "--json")
    document: dict[str, Any] = json.loads(out)["paired"]
    assert (code, err) == (0, "")
    assert document["settings"] == {"driver": "toledo_continuous", "port": port, "unit": "kg"}
    assert document["file"] == str(home / "devices.toml")
    assert "sends by itself" in document["detected"]


def test_with_a_driver_nothing_is_opened(cli: Cli, home: Path) -> None:
    line = PtyLine()
    busy = open_transport(line.port, LineSettings())
    code, out, _ = cli("pair", "scale", line.port, "--driver", "sma", "--baud", "4800", "--bits", "7E1")
    assert code == 0
    config = load_config(home).scale
    assert (config.port, config.driver, config.baud, config.bits) == (line.port, "sma", 4800, "7E1")
    assert "sma" in out
    busy.close()
    line.close()


def test_a_busy_port_is_told_with_its_holder(cli: Cli, home: Path) -> None:
    line = PtyLine()
    busy = open_transport(line.port, LineSettings())
    code, out, err = cli("pair", "scale", line.port)
    assert (code, out) == (3, "")
    assert "is in use by" in err
    assert not (home / "devices.toml").exists()
    busy.close()
    line.close()


@pytest.mark.slow
def test_what_is_no_scale_is_not_paired(cli: Cli, home: Path, tmp_path: Path) -> None:
    line, stopping = PtyLine(tmp_path / "port"), threading.Event()

    def scan() -> None:
        while not stopping.wait(0.1):
            line.write(b"4006381333931\r")

    thread = threading.Thread(target=scan)
    thread.start()
    code, out, _ = cli("pair", "scale", line.port, "--json")
    stopping.set()
    thread.join()
    line.close()
    assert code == 1
    assert json.loads(out)["paired"] is None
    assert "Is it a scale?" in json.loads(out)["detail"]
    assert not (home / "devices.toml").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["oven"], 2, "'oven' is not one of"),
        (["scale", "/dev/no-such-port"], 3, "no such port: '/dev/no-such-port'"),
        (["scale", "usb:0403:6001:NOSUCH77"], 3, "not plugged in"),
        (["scale", "usb:0403"], 2, "expected usb:VID:PID:SERIAL"),
        (["scale", "hid:0922:8003"], 3, "not plugged in"),
        (["camera", "usb:046d:0825"], 3, "no camera 'usb:046d:0825'"),
        (["scale", "socket://127.0.0.1:1", "--driver", "mtsics"], 2, "did you mean 'mt_sics'"),
        (["scanner", "socket://127.0.0.1:1", "--driver", "sma"], 2, "no scanner has the driver 'sma'"),
        (["scanner", "socket://127.0.0.1:1", "--set", "sufix=cr"], 2, "did you mean 'suffix'"),
        (["scanner", "socket://127.0.0.1:1", "--set", "suffix"], 2, "expected KEY=VALUE"),
        (["scanner", "socket://127.0.0.1:1", "--set", "duplicate_ms=soon"], 2, "duplicate_ms"),
        (["camera", "0", "--driver", "x"], 2, "leave --driver out"),
        (["scale", "socket://127.0.0.1:1"], 3, "nothing answers"),
    ],
)
def test_what_cannot_be_paired_is_told_and_nothing_is_written(
    cli: Cli, home: Path, words: list[str], code: int, told: str
) -> None:
    got, out, err = cli("pair", *words)
    assert got == code, err
    assert told in err + out
    assert not (home / "devices.toml").exists()


def test_each_role_has_its_own_keys(cli: Cli, home: Path) -> None:
    assert cli("pair", "scanner", "socket://10.0.0.5:4001", "--driver", "ssi", "--set", "duplicate_ms=500")[0] == 0
    assert cli("pair", "camera", "0")[0] == 0
    assert (
        cli("pair", "printer", "10.0.0.7:9100", "--driver", "zpl", "--set", "dpi=300", "--set", "scan_back=true")[0]
        == 0
    )
    config = load_config(home)
    assert (config.scanner.port, config.scanner.protocol, config.scanner.duplicate_ms) == (
        "socket://10.0.0.5:4001",
        "ssi",
        500,
    )
    assert config.camera.source == "0"
    assert (config.printer.address, config.printer.dpi, config.printer.scan_back) == ("10.0.0.7:9100", 300, True)


def test_what_station_toml_says_wins_and_is_told(cli: Cli, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "station.toml").write_text('[scanner]\nport = "/dev/ttyS9"\n')
    code, out, _ = cli("pair", "scanner", "socket://10.0.0.5:4001")
    assert code == 0
    assert "station.toml sets scanner.port = '/dev/ttyS9' and wins: remove that line" in out
    assert load_config(home).scanner.port == "/dev/ttyS9"


def test_a_protocol_without_a_unit_is_warned_of(cli: Cli) -> None:
    _, out, _ = cli("pair", "scale", "socket://10.0.0.5:4001", "--driver", "toledo_8217")
    assert "sends no unit" in out
    _, out, _ = cli("pair", "scale", "socket://10.0.0.5:4001", "--driver", "toledo_8217", "--set", "unit=lb")
    assert "sends no unit" not in out


def test_forgetting(cli: Cli, home: Path) -> None:
    pair(home, "scale", {"port": "socket://10.0.0.5:4001"})
    assert cli("pair", "scale", "--forget")[0] == 0
    assert load_config(home).scale.port == ""
    code, out, _ = cli("pair", "scale", "--forget")
    assert code == 1
    assert "had no paired device" in out
    assert json.loads(cli("pair", "scale", "--forget", "--json")[1]) == {"forgotten": None}


def test_in_a_process_of_its_own(home: Path, scale: Callable[[str], str]) -> None:
    port = scale("print_string")
    command = [sys.executable, "-m", "ui.cli", "--home", str(home), "devices", "pair", "scale", port, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["paired"]["settings"]["driver"] == "print_string"


# Who could be what: nothing is opened


def plugged_in(*ports: ListedPort) -> tuple[Found, ...]:
    return serial_devices(ports, who_holds=lambda path: None)


FTDI = ListedPort("/dev/ttyUSB0", 0x0403, 0x6001, "A10KXYZ7", "1-2")
CH340 = ListedPort("/dev/ttyUSB1", 0x1A86, 0x7523, "", "1-3")
ZEBRA = ListedPort("/dev/ttyACM0", 0x05E0, 0x1701, "S12345", "1-4:1.0")
ARDUINO = ListedPort("/dev/ttyACM1", 0x2341, 0x0043, "7563331", "1-5:1.0")
BOARD = ListedPort("/dev/ttyS0")


@pytest.mark.parametrize(
    ("role", "ports", "expected"),
    [
        ("scanner", (FTDI, ZEBRA), ["usb:05e0:1701:S12345"]),
        ("scale", (FTDI, ZEBRA, ARDUINO, BOARD), ["usb:0403:6001:A10KXYZ7"]),
        ("scale", (FTDI, CH340), ["usb:0403:6001:A10KXYZ7", "usb:1a86:7523@1-3"]),
        ("scanner", (FTDI,), ["usb:0403:6001:A10KXYZ7"]),
        ("camera", (FTDI, ZEBRA), []),
        ("printer", (ZEBRA, BOARD), []),
    ],
)
def test_candidates(role: str, ports: tuple[ListedPort, ...], expected: list[str]) -> None:
    assert [device.key for device in candidates_for(role, plugged_in(*ports), Config())] == expected


def test_what_has_a_role_is_no_candidate_for_another() -> None:
    config = Config(scanner=ScannerConfig(port="usb:0403:6001:A10KXYZ7"))
    assert [device.key for device in candidates_for("scale", plugged_in(FTDI, CH340), config)] == ["usb:1a86:7523@1-3"]
    (device, _) = plugged_in(FTDI, CH340)
    with pytest.raises(OperatorError, match="paired as scanner already: station devices pair scanner --forget"):
        refuse_second_role("scale", device.key, device, config)
    refuse_second_role("scanner", device.key, device, config)


def test_the_only_candidate_is_proposed_and_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert propose("scale", plugged_in(FTDI, ZEBRA), Config(), yes=False, as_json=False) is None
    assert "station devices pair scale usb:0403:6001:A10KXYZ7" in capsys.readouterr().out
    assert propose("scale", plugged_in(FTDI, ZEBRA), Config(), yes=True, as_json=False) == "usb:0403:6001:A10KXYZ7"


def test_several_candidates_are_listed_and_none_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert propose("scale", plugged_in(FTDI, CH340), Config(), yes=True, as_json=False) is None
    shown = capsys.readouterr().out
    assert "2 devices could be the scale" in shown
    assert "usb:1a86:7523@1-3" in shown
    assert propose("scale", plugged_in(FTDI, CH340), Config(), yes=True, as_json=True) is None
    assert len(json.loads(capsys.readouterr().out)["proposed"]) == 2


def test_no_candidate_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert propose("scale", plugged_in(BOARD), Config(), yes=True, as_json=False) is None
    assert "nothing that could be a scale" in capsys.readouterr().out
