"""Photos are named by their bytes, whole or absent, and removed only when nothing names them."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from store_lab import inspection, jpeg, photo

from station.errors import InvalidInput, StoreFault
from station.store import Store
from station.store.photos import PhotoStore

DAY_S = 86_400


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_photo_lies_under_its_hash(tmp_path: Path) -> None:
    photos = PhotoStore(tmp_path / "photos")
    kept = photos.keep(jpeg(1))
    assert kept.sha256 == hashlib.sha256(jpeg(1)).hexdigest()
    assert kept.size == len(jpeg(1))
    assert photos.path(kept.sha256) == tmp_path / "photos" / kept.sha256[:2] / f"{kept.sha256}.jpg"
    assert photos.read(kept.sha256) == jpeg(1)
    assert photos.keep(jpeg(1)) == kept
    assert [path.name for path in (tmp_path / "photos" / kept.sha256[:2]).iterdir()] == [f"{kept.sha256}.jpg"]


def test_a_damaged_photo_is_named_and_taking_it_again_heals_it(tmp_path: Path) -> None:
    photos = PhotoStore(tmp_path / "photos")
    kept = photos.keep(jpeg(1))
    path = photos.path(kept.sha256)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreFault, match=f"{kept.sha256}.*has changed on disk"):
        photos.read(kept.sha256)
    photos.keep(jpeg(1))
    assert photos.read(kept.sha256) == jpeg(1)
    path.unlink()
    with pytest.raises(StoreFault, match="is gone"):
        photos.read(kept.sha256)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a photo's name"):
        PhotoStore(tmp_path).path(name)


def test_an_empty_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="empty picture"):
        PhotoStore(tmp_path).keep(b"")


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("a file is in the way")
    with pytest.raises(StoreFault, match="could not be saved"):
        PhotoStore(tmp_path / "photos").keep(jpeg(1))


def test_the_sweep_takes_what_is_old_and_unnamed_only(store: Store) -> None:
    named, drafted, orphan, young, retaken = (store.photos.keep(jpeg(number)).sha256 for number in range(5))
    store.commit(
        [inspection(1, photos=(photo(named),))], actor="ines", drafts={"current": b'{"sha":"%s"}' % drafted.encode()}
    )
    for sha in (named, drafted, orphan, retaken):
        age(store.photos.path(sha), 25 * 3600)
    store.photos.keep(jpeg(4))  # taken again just now: its entry is still to come
    leftover = store.photos.path(orphan).with_name(".x.jpg.1.tmp")
    leftover.write_bytes(b"half")
    age(leftover, 25 * 3600)
    assert sorted(store.sweep_orphans()) == sorted([f"{orphan}.jpg", leftover.name])
    assert store.sweep_orphans() == ()
    for sha in (named, drafted, young, retaken):
        assert store.photos.read(sha)
    assert set(store.sweep_orphans(older_than=timedelta(seconds=-5))) == {f"{young}.jpg", f"{retaken}.jpg"}
