"""What every test gets: Qt without a screen, a home of its own, and no warning on the log that it did not expect."""

from __future__ import annotations

import itertools
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# before anything imports PySide6: without a platform plugin Qt aborts the interpreter, and a theme or a scale factor
# of the person who runs the tests would change every picture
os.environ["QT_QPA_PLATFORM"] = "xcb" if os.environ.get("STATION_TEST_XCB") == "1" else "offscreen"
for _variable in ("QT_SCALE_FACTOR", "QT_FONT_DPI", "QT_STYLE_OVERRIDE", "QT_QPA_PLATFORMTHEME", "QT_PLUGIN_PATH"):
    os.environ.pop(_variable, None)

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

LONGEST = (
    "tests/ui/test_demo.py",
    "tests/test_rooms.py",
    "tests/faults/test_machines.py",
    "tests/devices/camera/test_camera.py",
    "tests/sync/test_exactly_once.py",
    "tests/station/test_bootstrap.py",
    "tests/ui/cli/test_devices.py",
    "tests/sync/test_loop.py",
    "tests/sync/test_workers.py",
    "tests/sync/test_feed_client.py",
    "tests/sync/access/test_dead_pc.py",
    "tests/faults/test_network.py",
)
"""Go first: a long file that is begun last keeps one worker busy while the others have nothing left to do."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the long seeds and soaks too")
    parser.addoption("--hardware", action="store_true", help="run the tests that need a real device")


def pytest_configure(config: pytest.Config) -> None:
    # children are started with sys.executable -m …, from any folder
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    choose_examples(slow=bool(config.getoption("--slow")))


def choose_examples(slow: bool) -> None:
    """The same examples in every run, so that red means broken; ``--slow`` looks for new ones."""
    from hypothesis import settings

    # deadline: a time limit on two shared cores would find the neighbours, not our bugs
    # database: a checkout may be read-only; what a search finds is printed as a blob that repeats it
    settings.register_profile("steady", deadline=None, derandomize=True, database=None, max_examples=50)
    settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True, database=None)
    settings.load_profile("search" if slow else "steady")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for marker in ("slow", "hardware"):
        if config.getoption(f"--{marker}"):
            continue
        skip = pytest.mark.skip(reason=f"marked {marker}: run with --{marker}")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public sample data beside the checkout; it is not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared sample data is not on this machine ({SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    parent = tmp_path_factory.mktemp("homes")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _isolated_home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test, and the processes it starts, away from the real user's folders."""
    folder = next(_homes)
    monkeypatch.setenv("STATION_HOME", str(folder / "station"))
    # XDG_RUNTIME_DIR stays: Qt warns when it does not exist
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "APPDATA"):
        monkeypatch.setenv(variable, str(folder / variable.lower()))
    return folder / "station"


@pytest.fixture
def home(_isolated_home: Path) -> Path:
    """A station's home folder that no other test sees; it does not exist yet. ``STATION_HOME`` names it too."""
    return _isolated_home


class WarningsOnTheLog(logging.Handler):
    """Collects records from WARNING up, and knows which of them the test expects."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.expected: list[tuple[re.Pattern[str], bool]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def __call__(self, pattern: str, *, required: bool = True) -> None:
        """Expect records whose ``"logger: message"`` matches the regular expression somewhere.

        Args:
            pattern: a regular expression, e.g. ``r"devices\\.transport: .*unplugged"``.
            required: the test fails when none comes.
        """
        self.expected.append((re.compile(pattern), required))

    def complaints(self) -> list[str]:
        """What is wrong with the log of this test, one line each."""
        lines = [(record, f"{record.name}: {record.getMessage()}") for record in self.records]
        unexpected = [
            f"unexpected {record.levelname} {line}"
            for record, line in lines
            if not any(pattern.search(line) for pattern, _ in self.expected)
        ]
        absent = [
            f"expected a warning that matches {pattern.pattern!r}, none came"
            for pattern, required in self.expected
            if required and not any(pattern.search(line) for _, line in lines)
        ]
        return unexpected + absent


@pytest.fixture(autouse=True)
def expected_warnings() -> Iterator[WarningsOnTheLog]:
    """Fails the test on a log record ≥ WARNING that it did not expect; call it with a pattern to expect one."""
    handler = WarningsOnTheLog()
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    complaints = handler.complaints()
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)
