"""What may be a photo: files as benches make them go in, everything else is refused before it is kept."""

from __future__ import annotations

import hashlib
import io
import random
import struct
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from devices.camera.exif import Origin, exif_segment, strip_metadata
from devices.camera.jpeg import parse_jpeg
from station.errors import InvalidInput
from sync.server.images import MAX_PIXELS, PhotoCheck
from tests.sync.material import jpeg_of
from tests.sync.people.material import PeopleServer


def picture(width: int = 64, height: int = 48, **given: object) -> bytes:
    noise = np.random.default_rng(7).integers(0, 255, (height, width, 3), np.uint8)
    made = io.BytesIO()
    Image.fromarray(noise).save(made, "JPEG", quality=90, **given)
    return made.getvalue()


def of_a_bench() -> bytes:
    """As ``devices.camera.encode`` writes: OpenCV's JPEG and our Exif."""
    noise = np.random.default_rng(8).integers(0, 255, (1080, 1920, 3), np.uint8)
    plain = parse_jpeg(bytes(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()))
    own = exif_segment(Origin("camera-1", datetime(2026, 11, 23, 12, 0, tzinfo=UTC)))
    return type(plain)((plain.head[0], own, *plain.head[1:]), plain.scans).packed()


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + jpeg[2:]


def exif_with(tag: int, *, second: bool = False) -> bytes:
    """A directory of one entry, or one with another directory behind it."""
    entry = struct.pack(">HHII", tag, 4, 1, 26)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 8 if second else 0) + bytes(24)


def check(data: bytes, step: int = 1 << 20) -> PhotoCheck:
    checked = PhotoCheck()
    for at in range(0, len(data), step):
        checked.feed(data[at : at + step])
    checked.finish()
    return checked


@pytest.mark.parametrize(
    "jpeg",
    [picture(), picture(progressive=True), picture(subsampling=0), picture(icc_profile=b"p" * 200_000), of_a_bench(),
     jpeg_of(1), strip_metadata(with_segment(picture(), 0xFE, b"secret")), b"\xff\xd8\xff\xff" + picture()[3:]],
    ids=["plain", "progressive", "full colour", "profile", "bench", "tests", "stripped", "fill bytes"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1 << 20, 7])
def test_photos_as_benches_make_them_go_in(jpeg: bytes, step: int) -> None:
    if step == 7 and len(jpeg) > 100_000:
        step = 1013
    found = check(jpeg, step)
    assert found.width * found.height > 0


def gps() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return picture(exif=exif)


def large(width: int, height: int) -> bytes:
    jpeg = bytearray(picture())
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(jpeg)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cut off"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a JPEG"),
        (b"GIF89a" + bytes(100), "not a JPEG"),
        (b"<svg onload=alert(1)>", "not a JPEG"),
        (picture()[:-2], "cut off"),
        (picture()[:700], "cut off"),
        (b"\xff\xd8\xff\xd9", "no picture"),
        (gps(), "position"),
        (with_segment(picture(), 0xE1, exif_with(0x8825)), "position"),
        (with_segment(picture(), 0xE1, exif_with(0x927C)), "tag 927C"),
        (with_segment(picture(), 0xE1, exif_with(0x013B)), "tag 013B"),
        (with_segment(picture(), 0xE1, exif_with(0x0131, second=True)), "small picture"),
        (with_segment(picture(), 0xE1, b"Exif\0\0XX"), "damaged"),
        (with_segment(picture(), 0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), "APP1"),
        (with_segment(picture(), 0xED, b"Photoshop 3.0\0"), "APP13"),
        (with_segment(picture(), 0xE2, b"MPF\0"), "APP2"),
        (with_segment(picture(), 0xFE, b"taken by Mia"), "a comment"),
        (picture() + b"ftypmp42 a film with its position", "behind the end"),
        (picture() + picture(), "behind the end"),
        (large(65_000, 65_000), "million"),
        (large(5_000, 5_001), "million"),
        (large(0, 10), "size"),
        (b"\xff\xd8" + b"\xff\xdb\xff\xff" + bytes(65_533) + (b"\xff\xdb\xff\xff" + bytes(65_533)) * 20, "before the"),
        (with_segment(picture(), 0xC3, bytes(10)), "FFC3"),
        (with_segment(picture(), 0xDA, bytes(6)), "before its frame"),
    ],
    ids=range(25),
)
def test_everything_else_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        check(data)
    with pytest.raises(InvalidInput, match=why):
        check(data, 11)


def test_a_picture_of_exactly_the_limit_goes_in() -> None:
    assert check(large(5_000, 5_000)).width ** 2 == MAX_PIXELS


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_no_damage_makes_it_hang_or_fail_otherwise(seed: int, count: int) -> None:
    dice, data = random.Random(seed), bytearray(picture(16, 16))
    for _ in range(count):
        data[dice.randrange(len(data))] = dice.randrange(256)
    try:
        check(bytes(data), dice.choice([1, 13, 4096]))
    except InvalidInput:
        return


def test_what_is_refused_is_not_kept_and_what_a_bench_makes_is(server: PeopleServer) -> None:
    good, bad = of_a_bench(), gps()
    answers = {}
    for data in (good, bad):
        name = hashlib.sha256(data).hexdigest()
        answers[name] = server.ask("PUT", f"/v1/photos/{name}", content=data)
    first, second = answers.values()
    assert first.status_code == 201, first.text
    assert (second.status_code, second.json()["error"]["code"]) == (422, "not_a_photo")
    kept = [path for path in (server._folder / "photos").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [good]
    asked = server.ask("POST", "/v1/photos/missing", json={"hashes": list(answers)}).json()
    assert (asked["held"], asked["missing"]) == ([hashlib.sha256(good).hexdigest()], [hashlib.sha256(bad).hexdigest()])
