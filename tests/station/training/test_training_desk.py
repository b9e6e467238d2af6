"""Training at the desk: the same flow, feedback after each item, and nothing that could pass for goods."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from station.canonical import canonical_json
from station.errors import InvalidInput
from station.exchange.dossier import collect, pack
from station.identify.commands import Command
from station.identify.scan import RawScan
from station.inspection.record import INSPECTION_CONFIRMED, LABEL_PRINTED, Inspection
from station.inspection.view import Band, State
from station.store.reading import read_entries
from station.training.item import PLATE, item_of_dossier, read_items
from tests.station.inspection.bench import Bench, open_store
from tests.station.training.training_lab import ITEMS, Trainee
from ui.bench.words import words


@pytest.fixture
def trainee(tmp_path: Path) -> Iterator[Trainee]:
    one = Trainee(tmp_path)
    yield one
    one.store.close()


def test_who_answers_as_agreed_is_told_so_for_every_shipped_item(trainee: Trainee) -> None:
    """The shipped items are true: their agreed answers lead to their agreed grades under today's protocols."""
    for number, item in enumerate(ITEMS, 1):
        view = trainee.last.view
        assert view.state is State.QUESTIONS, item.id
        assert view.item is not None
        assert view.item.title == item.item.title
        assert all(slot.photo is not None for slot in view.shots)
        outcome = trainee.answer(item)
        assert outcome.view.state is State.DONE
        assert trainee.desk.session.done[-1].same, trainee.desk.session.done[-1].text
        assert outcome.view.notice.code == ("training_over" if number == len(ITEMS) else "training_same")
        assert outcome.view.actions == (Command.CONFIRM, Command.UNDO, Command.HELP)
        assert not outcome.labels
        trainee.give(Command.CONFIRM)
    assert trainee.desk.session.text == (f"TRAINING: {len(ITEMS)} of {len(ITEMS)} items as agreed",)
    assert trainee.give(Command.CONFIRM).view.notice.code == "training_over", "and it stays over"


def test_another_answer_is_shown_beside_the_agreed_one_with_the_reason(trainee: Trainee) -> None:
    outcome = trainee.answer(ITEMS[0], look="worn")
    title, detail = words(outcome.view.notice)
    assert outcome.view.notice.band is Band.IDLE, "a lesson is no alarm"
    assert title == "You: C · agreed: A"
    assert "You: Worn or stained. Agreed: As new, tags on." in detail
    assert ITEMS[0].why.rstrip(".") in detail
    feedback = trainee.desk.session.done[0]
    assert (feedback.yours, feedback.agreed, feedback.same) == ("C", "A", False)
    assert feedback.text in trainee.desk.session.text


def test_an_item_may_be_judged_again_and_the_last_word_counts(trainee: Trainee) -> None:
    trainee.answer(ITEMS[0], look="worn")
    trainee.give(Command.UNDO)
    while trainee.last.view.state is not State.QUESTIONS:
        trainee.give(Command.UNDO)
    trainee.answer(ITEMS[0])
    assert [feedback.same for feedback in trainee.desk.session.done] == [True]
    trainee.give(Command.CONFIRM)
    assert trainee.last.view.item is not None
    assert trainee.last.view.item.rma == "TRAINING-RETURN-002"


def test_what_is_recorded_says_training_and_no_label_is_made(trainee: Trainee, tmp_path: Path) -> None:
    trainee.answer(ITEMS[0])
    entries = read_entries(tmp_path)
    assert LABEL_PRINTED not in {entry.kind for entry in entries}
    fact = next(
        msgspec.json.decode(entry.payload or b"", type=Inspection)
        for entry in entries
        if entry.kind == INSPECTION_CONFIRMED
    )
    assert fact.lpn.startswith(PLATE)
    assert (fact.rma or "").startswith(PLATE)
    assert {entry.station for entry in entries} == {"training"}


def test_goods_scales_and_cameras_do_nothing_here(trainee: Trainee) -> None:
    before = trainee.last.view
    trainee.answer(ITEMS[0])
    seen = trainee.desk.scan(RawScan(b"RMA-2026-004711", "scanner-1", trainee.clock.now()))
    assert seen.view.state is State.DONE
    assert seen.view.notice.code == "not_now"
    for command in (Command.PARK, Command.NO_LABEL, Command.WRONG_ITEM, Command.SKIP, Command.REPRINT):
        assert trainee.give(command).view.notice.code == "not_now"
        assert command not in before.actions
    assert trainee.desk.labels_again() is None
    assert trainee.give(Command.CONFIRM).view.state is State.QUESTIONS


def test_an_item_made_of_a_dossier_is_played_like_the_others(tmp_path: Path) -> None:
    real = tmp_path / "real"
    store = open_store(real)
    bench = Bench(store)
    bench.clean_unit("RMA-2026-004711")
    lpn = bench.last.view.lpn or ""
    packed = pack(collect(read_entries(real), lpn, store.photos.read, ()))
    store.close()
    item = item_of_dossier(packed, "shirt")
    assert (item.grade, item.item.sku, item.gross_mg) == ("A", "SHIRT", 312_000)
    assert len(item.photos) == 2
    # the bench's lab takes no real pictures
    photos = tuple(replace(photo, jpeg=ITEMS[0].photos[0].jpeg) for photo in item.photos)
    drawn = replace(item, photos=photos)
    trainee = Trainee(tmp_path / "training", [drawn])
    trainee.answer(item)
    assert trainee.desk.session.done[0].same
    trainee.store.close()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a zip"])
def test_what_is_no_dossier_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="'x' is no dossier"):
        item_of_dossier(content, "x")


def test_a_zip_without_an_inspection_or_with_a_damaged_one_is_refused() -> None:
    damaged = {"entries/1-1-inspection.confirmed.json": canonical_json({"a": 1})}
    for members, words_said in (({"a.txt": b"hello"}, "holds no inspection"), (damaged, "no dossier")):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            for name, body in members.items():
                file.writestr(name, body)
        with pytest.raises(InvalidInput, match=words_said):
            item_of_dossier(packed.getvalue(), "x")


def test_a_file_of_items_is_read_strictly(tmp_path: Path) -> None:
    item = ITEMS[0]
    text = (
        '[[items]]\nid = "one"\nmerchant = "fjord"\nsku = "FJORD-TEE-M"\ngross_g = 3\nanswers = {}\n'
        'why = "because of this"\nphotos = [{ shot = "front", file = "a.jpg" }]\n'
    )
    path = tmp_path / "items.toml"

    def refused(content: str, why: str) -> None:
        path.write_text(content)
        with pytest.raises(InvalidInput, match=why):
            read_items(path, [item.merchant], [item.item])

    refused(text, "cannot be read")
    (tmp_path / "a.jpg").write_bytes(b"GIF89a")
    refused(text, "is no JPEG")
    (tmp_path / "a.jpg").write_bytes(item.photos[0].jpeg)
    refused(text + text, "twice")
    refused(text.replace("FJORD-TEE-M", "NOPE"), "nobody sells 'NOPE'")
    refused(text + 'colour = "red"\n', "colour")
    path.write_text(text)
    assert read_items(path, [item.merchant], [item.item])[0].grade is None
