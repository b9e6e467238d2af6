"""Picture files: the right way up, or refused in words."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from devices.barcodes.files import decode_picture, load_picture
from devices.barcodes.read import read_image
from station.errors import InvalidInput
from ui.benchmark.barcode_scenes import Scene, Shooting, Wanted, photograph


@pytest.fixture(scope="module")
def scene() -> Scene:
    return photograph((Wanted("EAN13", Shooting(module_px=3, tilt_deg=10)),), 3, size=(640, 480))


def jpeg(scene: Scene) -> bytes:
    return bytes(cv2.imencode(".jpg", scene.image)[1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture(scene: Scene, orientation: int, tmp_path: Path) -> None:
    # how the camera's pixels lie so that this orientation makes them upright again: EXIF 2.32 §4.6.4
    undo = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    upright = Image.fromarray(cv2.cvtColor(scene.image, cv2.COLOR_BGR2RGB))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    undo[orientation](upright).save(path, quality=95, exif=exif)
    picture = load_picture(path)
    assert picture.shape == scene.image.shape
    (found,) = read_image(picture)
    (printed,) = scene.codes
    assert found.text == printed.text
    assert np.abs(np.array(found.corners) - np.array(printed.corners)).max() < 10


@pytest.mark.parametrize("kind", ["png", "webp", "bmp", "tiff", "jpg"])
def test_kinds_of_files(scene: Scene, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{kind}"
    assert cv2.imwrite(str(path), scene.image)
    assert [one.text for one in read_image(load_picture(path))] == [scene.codes[0].text]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16", "I", "F"])
def test_kinds_of_pixels(scene: Scene, mode: str) -> None:
    grey = Image.fromarray(cv2.cvtColor(scene.image, cv2.COLOR_BGR2GRAY))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(grey).astype(np.uint16) << 8)
    else:
        picture = (grey.convert("RGB") if mode == "CMYK" else grey).convert(mode, dither=Image.Dither.NONE)
    out = io.BytesIO()
    picture.save(out, "TIFF" if mode in ("CMYK", "F", "I") else "PNG")
    assert [one.text for one in read_image(decode_picture(out.getvalue()))] == [scene.codes[0].text]


def test_ink_on_nothing_is_ink_on_white(scene: Scene) -> None:
    grey = cv2.cvtColor(scene.image, cv2.COLOR_BGR2GRAY)
    ink = np.zeros((*grey.shape, 4), np.uint8)
    ink[:, :, 3] = np.where(grey < 120, 255, 0)
    data = bytes(cv2.imencode(".png", ink)[1])
    assert [one.text for one in read_image(decode_picture(data))] == [scene.codes[0].text]


def test_a_file_cut_short_is_refused_wherever_it_is_cut(scene: Scene) -> None:
    whole = jpeg(scene)
    for length in (0, 1, 10, len(whole) // 3, len(whole) // 2, len(whole) - 400):
        with pytest.raises(InvalidInput, match=r"'the picture' is no picture that can be read .*expected JPEG"):
            decode_picture(whole[:length])


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"hello", b"%PDF-1.4\n", b"GIF89a", b"\0" * 5000, b"RIFF\0\0\0\0WEBP"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="expected JPEG, PNG"):
        decode_picture(data)


def test_a_small_file_that_unfolds_into_gigabytes_is_refused_before_it_does() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 12_000, 12_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(InvalidInput, match=r"12000 × 12000|12,000|expected"):
        decode_picture(bomb)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jpg", tmp_path, tmp_path / "nul\0.jpg"):
        with pytest.raises(InvalidInput, match="cannot read"):
            load_picture(path)
