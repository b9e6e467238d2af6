"""``station identify``: a contract for scripts."""

import json

import pytest
from click.testing import CliRunner

from ui.cli.identify import identify, unescape


@pytest.mark.parametrize(
    ("written", "data"),
    [
        (r"a\x1db", b"a\x1db"),
        (r"a\u001db", b"a\x1db"),
        (r"\r\n\t\0\\x", b"\r\n\t\0\\x"),
        (r"\\x1d", rb"\x1d"),
        (r"\x1", rb"\x1"),
        (r"C:\new", b"C:\new"),
        (r"\q", rb"\q"),
        (r"\xe9", b"\xe9"),
        (r"\u00e9é", "éé".encode()),
        (r"\ud800", rb"\ud800"),
        ("\udcff", b"\xff"),
        ("\\", b"\\"),
    ],
)
def test_escapes(written: str, data: bytes) -> None:
    assert unescape(written) == data


def test_json_has_exactly_the_keys_of_the_contract() -> None:
    result = CliRunner().invoke(
        identify, ["--json", r"]d20104006381333931" + r"21HD7\x1d17261231", "4006381333930", "!"]
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert list(document) == ["scans"]
    gs1, wrong, nothing = document["scans"]
    assert gs1["text"] == "]d2010400638133393121HD7\x1d17261231"
    assert [one["kind"] for one in gs1["candidates"]] == ["gs1", "gtin", "serial"]
    assert gs1["candidates"][0]["elements"][2] == {"ai": "17", "value": "261231"}
    assert list(wrong["candidates"][0]) == ["kind", "key", "carrier", "check", "reason"]
    assert (wrong["candidates"][0]["kind"], wrong["candidates"][0]["check"]) == ("gtin", "bad")
    assert nothing == {"text": "!", "candidates": []}


def test_lines_of_standard_input() -> None:
    data = b"1Z999AA10123456784\r\n\n]E0\\x30036000291452\n\xff\n"
    result = CliRunner().invoke(identify, ["--json"], input=data)
    assert [one["text"] for one in json.loads(result.stdout)["scans"]] == [
        "1Z999AA10123456784",
        "]E00036000291452",
        "ÿ",
    ]


def test_a_person_sees_ranks_and_reasons_and_no_control_characters() -> None:
    result = CliRunner().invoke(identify, [r"\x1b[2Jhello", "1Z999AA10123456784"])
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert r"\x1b[2Jhello" in result.stdout
    assert "tracking 1Z999AA10123456784  check digit right" in result.stdout
    assert "UPS 1Z, check digit right, Next Day Air" in result.stdout
