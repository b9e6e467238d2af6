"""``devices.toml``: written by a program, below what people write."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.config import Config, load_config
from station.errors import InvalidInput
from station.paired import FILE_NAME, forget, pair, read_paired


def test_nothing_paired_is_the_defaults(home: Path) -> None:
    assert load_config(home) == Config()


def test_a_paired_device_is_configured(home: Path) -> None:
    pair(home, "scale", {"port": "usb:0403:6001:A10KXYZ7", "driver": "sma", "baud": 4800})
    pair(home, "camera", {"source": "usb:046d:0825@1-2"})
    config = load_config(home)
    assert (config.scale.port, config.scale.driver, config.scale.baud) == ("usb:0403:6001:A10KXYZ7", "sma", 4800)
    assert config.camera.source == "usb:046d:0825@1-2"
    assert config.scanner == Config().scanner


def test_a_new_device_leaves_nothing_of_the_old_one(home: Path) -> None:
    pair(home, "scale", {"port": "a", "driver": "sma", "baud": 4800})
    pair(home, "scale", {"port": "b"})
    assert load_config(home).scale == Config().scale.__class__(port="b")


def test_what_people_wrote_wins_key_by_key(home: Path) -> None:
    pair(home, "scale", {"port": "a", "driver": "sma", "baud": 4800})
    (home / "station.toml").write_text('[scale]\nbaud = 2400\n[station]\nid = "bench-7"\n')
    config = load_config(home)
    assert (config.scale.port, config.scale.driver, config.scale.baud) == ("a", "sma", 2400)
    assert config.station.id == "bench-7"


def test_forgetting_is_complete_and_idempotent(home: Path) -> None:
    pair(home, "scale", {"port": "a"})
    pair(home, "printer", {"address": "10.0.0.7"})
    assert forget(home, "scale")
    assert not forget(home, "scale")
    assert load_config(home).scale == Config().scale
    assert load_config(home).printer.address == "10.0.0.7"
    assert not forget(home / "elsewhere", "scale")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[scale]\nprot = "a"\n', r"devices\.toml:2: unknown key 'prot' in scale; did you mean 'port'"),
        ("[scales]\n", r"devices\.toml.*unknown key 'scales'.*did you mean 'scale'"),
        ('[scale]\nbaud = "fast"\n', r"devices\.toml:2: scale\.baud: Expected `int`"),
        ("[scale\n", r"devices\.toml: is not valid TOML"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(home: Path, text: str, words: str) -> None:
    home.mkdir(parents=True)
    (home / FILE_NAME).write_text(text)
    (home / "station.toml").write_text('[scale]\nport = "b"\n')
    with pytest.raises(InvalidInput, match=words):
        load_config(home)


def test_a_wrong_key_of_people_is_still_told_with_their_file(home: Path) -> None:
    pair(home, "scale", {"port": "a"})
    (home / "station.toml").write_text("[scale]\nbuad = 2400\n")
    with pytest.raises(InvalidInput, match=r"station\.toml:2: unknown key 'buad' in scale; did you mean 'baud'"):
        load_config(home)


def test_an_unknown_role_is_refused_and_writes_nothing(home: Path) -> None:
    with pytest.raises(InvalidInput, match="expected one of scanner"):
        pair(home, "oven", {"port": "a"})
    assert not home.exists()


def test_a_file_that_is_not_toml_is_not_overwritten(home: Path) -> None:
    home.mkdir(parents=True)
    (home / FILE_NAME).write_text("[scale\n")
    with pytest.raises(InvalidInput):
        pair(home, "scale", {"port": "a"})
    assert (home / FILE_NAME).read_text() == "[scale\n"


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@given(TEXT, st.integers(0, 2**40), st.booleans())
def test_every_value_comes_back_as_it_was(text: str, number: int, flag: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair(Path(folder), "scale", {"port": text, "baud": number, "odd key": flag})
        table = read_paired(Path(folder)).table
        assert table == {"scale": {"port": text, "baud": number, "odd key": flag}}
        assert tomllib.loads((Path(folder) / FILE_NAME).read_text(encoding="utf-8")) == table
