"""What a photo says about itself, and what a photo from elsewhere no longer says."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from devices.camera.encode import MAX_BYTES, encode_jpeg
from devices.camera.exif import Origin, orientation, strip_metadata
from devices.camera.jpeg import parse_jpeg
from station.errors import InvalidInput
from tests.devices.camera.machine import scene

MOMENT = datetime(2026, 3, 1, 23, 59, 58, 123456, UTC)
PICTURE = scene("mug", (640, 360)).astype(np.uint8)
GPS, MAKER_NOTE, THUMBNAIL = 0x8825, 0x927C, 0x0201


def decoded(jpeg: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert image is not None
    return image


def phone_photo(turn: int = 1, *, progressive: bool = False) -> bytes:
    """As a phone writes it: position, owner, serial numbers, maker notes, profile, XMP, comment, a second picture."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112], exif[0x013B] = "Apple", "iPhone 15 Pro", turn, "Jane Doe"
    details = exif.get_ifd(0x8769)
    details[0x9003], details[0xA431], details[MAKER_NOTE] = "2026:02:28 10:00:00", "SERIAL-F2LX", b"Apple iOS\x00secret"
    position = exif.get_ifd(GPS)
    position[1], position[2], position[3], position[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 18.0)
    buffer = io.BytesIO()
    Image.fromarray(cv2.cvtColor(PICTURE, cv2.COLOR_BGR2RGB)).save(
        buffer, "JPEG", quality=88, exif=exif, icc_profile=b"profile " * 40, comment=b"Jane's kitchen",
        progressive=progressive,
        xmp=b"<x:xmpmeta xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='52,31N'/>",
    )  # fmt: skip
    jpeg = buffer.getvalue()
    # A further picture behind the end (CIPA DC-007), as phones append depth maps and films.
    return jpeg + jpeg


SECRETS = (b"Jane", b"SERIAL-F2LX", b"iPhone", b"Apple", b"GPSLatitude", b"secret", b"2026:02:28")


def test_the_photo_names_camera_time_and_offset_and_nothing_else() -> None:
    jpeg, _, _ = encode_jpeg(PICTURE, origin=Origin("camera-1", MOMENT))
    exif = Image.open(io.BytesIO(jpeg)).getexif()
    assert dict(exif) == {
        0x0110: "camera-1",
        0x0131: "Returns inspection station",
        0x0132: "2026:03:01 23:59:58",
        0x8769: exif[0x8769],
    }
    assert exif.get_ifd(0x8769) == {
        0x9000: b"0232",
        0x9003: "2026:03:01 23:59:58",
        0x9010: "+00:00",
        0x9011: "+00:00",
        0x9291: "123",
    }
    assert exif.get_ifd(GPS) == {}
    assert exif.get_ifd(1) == {}, "no small picture inside"


def test_the_time_is_that_of_the_moment_whatever_the_zone_it_comes_in() -> None:
    local = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert encode_jpeg(PICTURE, origin=Origin("c", local)) == encode_jpeg(PICTURE, origin=Origin("c", MOMENT))


def test_not_a_bit_of_the_picture_changes() -> None:
    plain, _, _ = encode_jpeg(PICTURE)
    told, _, _ = encode_jpeg(PICTURE, origin=Origin("camera-1", MOMENT))
    assert np.array_equal(decoded(plain), decoded(told))
    assert parse_jpeg(plain).scans == parse_jpeg(told).scans
    assert strip_metadata(told) == plain


def test_what_is_written_counts_into_the_budget() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1080, 1920, 3), np.uint8)
    assert len(encode_jpeg(noise, origin=Origin("camera-1", MOMENT))[0]) <= MAX_BYTES


@pytest.mark.parametrize("progressive", [False, True])
def test_a_phones_position_owner_and_serial_number_are_gone(progressive: bool) -> None:
    photo = phone_photo(progressive=progressive)
    assert all(secret in photo for secret in SECRETS), "the negative control: they were there"
    assert Image.open(io.BytesIO(photo)).getexif().get_ifd(GPS)
    clean = strip_metadata(photo)
    assert not [secret for secret in SECRETS if secret in clean]
    assert dict(Image.open(io.BytesIO(clean)).getexif()) == {}
    assert clean.count(b"\xff\xd8\xff") == 1, "one picture"
    assert np.array_equal(decoded(clean), decoded(photo)), "bit by bit"
    assert Image.open(io.BytesIO(clean)).info["icc_profile"] == b"profile " * 40, "colours stay what they are"
    assert strip_metadata(clean) == clean


@pytest.mark.parametrize("turn", range(2, 9))
def test_a_photo_that_lies_on_its_side_is_turned_upright(turn: int) -> None:
    photo = phone_photo(turn)
    assert orientation(photo) == turn
    upright = strip_metadata(photo)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).convert("RGB"))[..., ::-1]
    assert decoded(upright).shape == wanted.shape
    assert float(np.abs(decoded(upright).astype(int) - wanted).mean()) < 3.0
    assert orientation(upright) == 1
    assert not [secret for secret in SECRETS if secret in upright]
    assert Image.open(io.BytesIO(upright)).info["icc_profile"]


def test_a_picture_inside_the_jfif_header_is_gone() -> None:
    plain, _, _ = encode_jpeg(PICTURE)
    small = b"JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x02\x02" + b"\x80" * 12
    start = plain[:2] + b"\xff\xe0" + (len(small) + 2).to_bytes(2, "big") + small
    photo = start + plain[4 + int.from_bytes(plain[4:6], "big") :]
    assert np.array_equal(decoded(photo), PICTURE) or decoded(photo).shape == PICTURE.shape
    assert b"\x80" * 12 not in strip_metadata(photo)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"PK\x03\x04", b"\x89PNG\r\n", b"\xff\xd8\xff\xe0\x00\x01"])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="JPEG"):
        strip_metadata(data)


def test_a_jpeg_that_is_cut_off_anywhere_is_refused() -> None:
    jpeg, _, _ = encode_jpeg(PICTURE[::8, ::8].copy(), origin=Origin("camera-1", MOMENT))
    for length in range(len(jpeg)):
        with pytest.raises(InvalidInput):
            strip_metadata(jpeg[:length])


@given(st.binary(max_size=200), st.integers(0, 400))
@settings(max_examples=150)
def test_no_bytes_break_it(noise: bytes, at: int) -> None:
    jpeg = PHOTO[: min(at, len(PHOTO))] + noise + PHOTO[min(at, len(PHOTO)) + len(noise) :]
    try:
        clean = strip_metadata(jpeg)
    except InvalidInput:
        return
    assert strip_metadata(clean) == clean


PHOTO = phone_photo(3)
