"""Photos in an object store over real HTTP: only what it has whole is acknowledged (F5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from station.errors import InvalidInput, StoreFault
from sync.server.photos import PhotoMissing, PhotoStore
from sync.server.photos.folder import PhotoFolder
from sync.server.photos.objects import PhotoObjects
from tests.sync.material import ServerProcess, jpeg_of
from tests.sync.operations.objectstore import Mishap, ObjectStore, running_store

KEYS = {"AWS_ACCESS_KEY_ID": "floor", "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-floor"}


def name_of(jpeg: bytes) -> str:
    return hashlib.sha256(jpeg).hexdigest()


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with running_store() as store:
        yield store


def swift(store: ObjectStore) -> PhotoObjects:
    return PhotoObjects(store.photos_url(), timeout_s=1.0, retry_s=1.0)


def put(place: PhotoStore, jpeg: bytes, name: str | None = None) -> None:
    upload = place.receive(name or name_of(jpeg))
    try:
        upload.write(jpeg[:100])
        upload.write(jpeg[100:])
        upload.keep()
    finally:
        upload.abandon()


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> PhotoStore:
    if request.param == "folder":
        return PhotoFolder(tmp_path / "photos")
    return swift(request.getfixturevalue("objects"))


def test_both_places_do_the_same(place: PhotoStore) -> None:
    jpeg, other = jpeg_of(1), jpeg_of(2, 2_000_000)
    put(place, jpeg)
    put(place, jpeg)
    put(place, other)
    assert place.held([name_of(jpeg), "0" * 64, name_of(other)]) == {name_of(jpeg), name_of(other)}
    assert place.read(name_of(other)) == other
    with pytest.raises(InvalidInput, match="hash to"):
        put(place, jpeg, "1" * 64)
    with pytest.raises(InvalidInput, match="not a JPEG"):
        put(place, b"GIF89a" * 50, name_of(b"GIF89a" * 50))
    with pytest.raises(InvalidInput, match="not a SHA-256"):
        place.receive("../../etc/passwd")
    assert not place.holds("1" * 64)
    for _ in range(2):
        place.delete(name_of(jpeg))
    assert not place.holds(name_of(jpeg))
    with pytest.raises(PhotoMissing):
        place.read(name_of(jpeg))


@pytest.mark.parametrize("mishap", [Mishap.ERROR, Mishap.FULL, Mishap.CUT, Mishap.KEPT_UNSAID])
def test_a_passing_failure_is_tried_again(objects: ObjectStore, mishap: Mishap) -> None:
    objects.mishaps = [mishap]
    place, jpeg = swift(objects), jpeg_of(3)
    try:
        put(place, jpeg)
    except StoreFault:  # a cut connection may count as refused: then the bench comes again
        put(place, jpeg)
    assert objects.objects == {f"/photos/{place.key(name_of(jpeg))}": jpeg}


@pytest.mark.parametrize("mishap", [Mishap.ERROR, Mishap.FULL, Mishap.DENIED, Mishap.HANG, Mishap.CUT])
def test_what_the_store_did_not_take_is_a_fault(objects: ObjectStore, mishap: Mishap) -> None:
    objects.always = mishap
    place = swift(objects)
    with pytest.raises(StoreFault, match="the object store cannot be written"):
        put(place, jpeg_of(4))
    assert objects.objects == {}
    objects.always = None
    put(place, jpeg_of(4))
    assert place.holds(name_of(jpeg_of(4)))


def test_a_store_that_lies_is_noticed_when_the_photo_is_read(objects: ObjectStore) -> None:
    objects.mishaps = [Mishap.LIE]
    place, jpeg = swift(objects), jpeg_of(5)
    put(place, jpeg)
    with pytest.raises(StoreFault, match="has changed"):
        place.read(name_of(jpeg))
    put(place, jpeg)  # a second delivery heals it
    assert place.read(name_of(jpeg)) == jpeg


def test_a_store_without_conditions_works_too(objects: ObjectStore) -> None:
    objects.conditional = False
    place, jpeg = swift(objects), jpeg_of(6)
    put(place, jpeg)
    put(place, jpeg)
    assert len(objects.objects) == 1


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3://key:secret@bucket/x", "s3://bucket?aws_secret_access_key=1", "s3://bucket?colour=red",
     "s3://bucket?endpoint=ftp://x", "s3://bucket?region="],
)  # fmt: skip
def test_wrong_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="--photos"):
        PhotoObjects(url)


def test_nothing_is_acknowledged_before_the_store_has_it(objects: ObjectStore, tmp_path: Path) -> None:
    """F5, through the server: the row and the 201 come only after the store's own yes."""
    with (
        ServerProcess(tmp_path / "home", "--photos", objects.photos_url(), environment=KEYS) as server,
        httpx.Client(base_url=server.url, headers={"Station-Protocol": "1"}, trust_env=False, timeout=30) as client,
    ):
        jpeg = jpeg_of(7)
        path = f"/v1/photos/{name_of(jpeg)}"
        objects.always = Mishap.DENIED
        refused = client.put(path, content=jpeg)
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "storage")
        assert client.get("/v1/status").json()["photos"] == 0
        assert client.get(path).status_code == 404
        asked = {"hashes": [name_of(jpeg)]}
        assert client.post("/v1/photos/missing", json=asked).json()["missing"] == asked["hashes"]
        objects.always = None
        assert client.put(path, content=jpeg).status_code == 201
        assert client.put(path, content=jpeg).json()["status"] == "duplicate"
        assert client.post("/v1/photos/missing", json=asked).json()["held"] == asked["hashes"]
        got = client.get(path)
        assert (got.content, got.headers["content-type"]) == (jpeg, "image/jpeg")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-disposition"].startswith("attachment")
        objects.objects.clear()  # lost in the store: it is missing again, and taken again
        assert client.post("/v1/photos/missing", json=asked).json()["missing"] == asked["hashes"]
        assert client.get(path).status_code == 404
        assert client.put(path, content=jpeg).status_code == 201
        assert KEYS["AWS_SECRET_ACCESS_KEY"] not in server.log()
