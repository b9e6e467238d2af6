"""``station devices read-image``: a contract for scripts, and words for people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from click.testing import CliRunner, Result

from ui.benchmark.barcode_scenes import Shooting, Wanted, photograph
from ui.cli.devices.image import read_image_


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    wanted = (Wanted("EAN13", Shooting(tilt_deg=35)), Wanted("QRCode", Shooting(tilt_deg=20)))
    scene = photograph(wanted, 1, size=(1200, 700))
    cv2.imwrite(str(folder / "two.jpg"), scene.image)
    (folder / "texts.json").write_text(json.dumps(sorted(one.text for one in scene.codes)))
    gs1 = zxingcpp.create_barcode("(01)09521234543213(10)L-7(21)HD7", zxingcpp.BarcodeFormat.DataMatrix, gs1=True)
    cv2.imwrite(str(folder / "gs1.png"), np.asarray(gs1.to_image(5)))
    cv2.imwrite(str(folder / "blank.png"), np.full((300, 400, 3), 130, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    return folder


def run(folder: Path, *words: str) -> Result:
    files = [word if word.startswith("--") else str(folder / word) for word in words]
    return CliRunner().invoke(read_image_, files, standalone_mode=False)


def test_json_has_exactly_the_keys_of_the_contract(folder: Path) -> None:
    result = run(folder, "--json", "two.jpg")
    assert result.return_value == 0
    document = json.loads(result.stdout)
    assert list(document) == ["images"]
    (image,) = document["images"]
    assert list(image) == ["file", "barcodes"]
    assert image["file"] == str(folder / "two.jpg")
    assert sorted(one["text"] for one in image["barcodes"]) == json.loads((folder / "texts.json").read_text())
    for one in image["barcodes"]:
        assert list(one) == ["text", "symbology", "aim", "corners", "found_by"]
        assert len(one["corners"]) == 4
        assert all(len(corner) == 2 and all(isinstance(value, float) for value in corner) for corner in one["corners"])
    assert {(one["symbology"], one["aim"]) for one in image["barcodes"]} == {("EAN-13", "]E0"), ("QR Code", "]Q1")}


def test_a_group_separator_is_real_in_json_and_visible_for_people(folder: Path) -> None:
    result = run(folder, "--json", "gs1.png")
    (found,) = json.loads(result.stdout)["images"][0]["barcodes"]
    assert (found["text"], found["aim"]) == ("010952123454321310L-7\x1d21HD7", "]d2")
    plain = run(folder, "gs1.png")
    assert r"010952123454321310L-7\x1d21HD7" in plain.stdout
    assert "\x1d" not in plain.stdout


def test_a_picture_without_a_code_is_a_no(folder: Path) -> None:
    result = run(folder, "--json", "two.jpg", "blank.png")
    assert result.return_value == 1
    assert [len(image["barcodes"]) for image in json.loads(result.stdout)["images"]] == [2, 0]
    plain = run(folder, "blank.png")
    assert plain.return_value == 1
    assert "no barcode" in plain.stdout


def test_a_file_that_is_no_picture_does_not_hide_the_others(folder: Path) -> None:
    result = run(folder, "--json", "broken.jpg", "two.jpg", "absent.jpg")
    assert result.return_value == 2
    broken, two, absent = json.loads(result.stdout)["images"]
    assert broken["barcodes"] == absent["barcodes"] == []
    assert "is no picture" in broken["problem"]
    assert "cannot read" in absent["problem"]
    assert len(two["barcodes"]) == 2
    assert result.stderr.count("station: ") == 2


def test_the_command_as_a_script_runs_it(folder: Path) -> None:
    words = [sys.executable, "-m", "ui.cli", "devices", "read-image", "--json", str(folder / "two.jpg")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["images"][0]["barcodes"]) == 2
    none = subprocess.run([*words[:-1], str(folder / "blank.png")], capture_output=True, text=True)
    assert none.returncode == 1
    usage = subprocess.run(words[:-2], capture_output=True, text=True)
    assert usage.returncode == 2
