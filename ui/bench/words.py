"""What the band says: a notice's code and facts → one sentence to act on and one line of detail.

The desk says *what* happened; the words for it are here only, in every language. A code that this release does not know
(a newer desk) still reads as words, with its facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from station.inspection.view import Band, Notice
from ui.bench.labels import action_word, disposition_word, kind_word, undone_word, without_word
from ui.bench.speech import QT_TRANSLATE_NOOP, readable, say, shorten


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words for one code. Where a needed fact is empty, the plain detail is said instead."""

    title: str
    detail: str
    icon: str = "info"
    """Icon of the idle band; the other bands have their own shape."""
    needs: str = ""
    """Fact without which ``plain`` is said."""
    plain: str = ""


SENTENCES: dict[str, Sentence] = {
    "starting": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Opening the bench"),
        QT_TRANSLATE_NOOP("Bench", "Scan already: nothing is lost while it starts"),
        "scan-barcode",
    ),
    "scan_parcel": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Scan the parcel"),
        QT_TRANSLATE_NOOP("Bench", "Return label, tracking number or licence plate"),
        "scan-barcode",
    ),
    "scan_item": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Scan the item"),
        QT_TRANSLATE_NOOP("Bench", "Any code on it: barcode, serial number or QR code"),
        "scan-barcode",
    ),
    "scan_next_unit": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Scan the next item"),
        QT_TRANSLATE_NOOP("Bench", "{done} of {of} in this return are done"),
        "scan-barcode",
    ),
    "parcel_unknown": Sentence(
        QT_TRANSLATE_NOOP("Bench", "No return known for this code"),
        QT_TRANSLATE_NOOP("Bench", "Scanned {scanned}. Scan another code on the parcel, or NO LABEL to receive it."),
    ),
    "code_bad_check": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Misread: scan it again"),
        QT_TRANSLATE_NOOP("Bench", "Scanned {scanned}: the check digit of this {kind} is wrong."),
    ),
    "scan_not_understood": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Code not understood"),
        QT_TRANSLATE_NOOP("Bench", "Scanned {scanned}: {why}. Scan another code."),
        needs="why",
        plain=QT_TRANSLATE_NOOP("Bench", "Scanned {scanned}. Scan another code."),
    ),
    "parcel_ambiguous": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Which return is it?"),
        QT_TRANSLATE_NOOP("Bench", "{count} returns carry {scanned}. Scan the return label inside the parcel."),
    ),
    "parcel_all_done": Sentence(
        QT_TRANSLATE_NOOP("Bench", "This return is finished"),
        QT_TRANSLATE_NOOP(
            "Bench", "Every unit of {rma} is inspected. Scan another parcel, or NO LABEL for what is left."
        ),
    ),
    "not_the_item": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Not the item on this return"),
        QT_TRANSLATE_NOOP(
            "Bench", "Scanned {scanned} · expected {expected}. Scan the right item, or WRONG ITEM to record it."
        ),
        needs="expected",
        plain=QT_TRANSLATE_NOOP("Bench", "Scanned {scanned}. Scan the right item, or WRONG ITEM to record it."),
    ),
    "wrong_serial": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Not the serial that was sold"),
        QT_TRANSLATE_NOOP(
            "Bench", "Scanned {scanned} · sold {expected}. Scan the right item, or WRONG ITEM to record it."
        ),
    ),
    "item_unknown": Sentence(
        QT_TRANSLATE_NOOP("Bench", "No item known for this code"),
        QT_TRANSLATE_NOOP("Bench", "Scanned {scanned}. Scan another code on it, or WRONG ITEM to record what came."),
    ),
    "unannounced_item": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Scan the item"),
        QT_TRANSLATE_NOOP("Bench", "No return is known for this parcel: it is received and goes to a second look"),
        "scan-barcode",
    ),
    "put_on_scale": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Put it on the scale"),
        QT_TRANSLATE_NOOP("Bench", "Weighed by itself when it settles · expected {expected}"),
        "bench-scale",
        needs="expected",
        plain=QT_TRANSLATE_NOOP("Bench", "Weighed by itself when it settles"),
    ),
    "weight_wait": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Weighing …"),
        QT_TRANSLATE_NOOP("Bench", "Hands off until it settles"),
        "bench-scale",
    ),
    "weight_check": Sentence(QT_TRANSLATE_NOOP("Bench", "Second look"), ""),
    "take_photo": Sentence("{guide}", "", "camera"),
    "question": Sentence("{text}", "{why}", "circle-question-mark"),
    "rework": Sentence(
        "{task}", QT_TRANSLATE_NOOP("Bench", "Then answer: {text} · about {minutes} min"), "circle-question-mark"
    ),
    "entry_refused": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Not an answer yet"),
        "{why}",
        needs="why",
        plain=QT_TRANSLATE_NOOP("Bench", "Type or scan the answer, or press one of the buttons"),
    ),
    "shortcut_refused": Sentence(
        QT_TRANSLATE_NOOP("Bench", "{label} is not possible here"),
        QT_TRANSLATE_NOOP("Bench", "Because {why}. Answer the questions one by one."),
    ),
    "needs_confirm": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Check, then confirm"),
        QT_TRANSLATE_NOOP("Bench", "Grade {grade} · {disposition} · tote {tote}"),
        needs="grade",
        plain=QT_TRANSLATE_NOOP("Bench", "{disposition} · tote {tote}"),
    ),
    "decided": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Grade {grade} · {disposition}"),
        QT_TRANSLATE_NOOP("Bench", "Put it into tote {tote}, label is printing"),
    ),
    "decided_hold": Sentence(
        QT_TRANSLATE_NOOP("Bench", "{disposition} · tote {tote}"),
        "{why}",
        needs="why",
        plain=QT_TRANSLATE_NOOP("Bench", "Put it there; a second person looks at it"),
    ),
    "parked": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Parked"),
        QT_TRANSLATE_NOOP("Bench", "{rma} waits for you: scan its label to go on. Or scan the next parcel."),
        "scan-barcode",
    ),
    "resumed": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Going on where you stopped"),
        QT_TRANSLATE_NOOP("Bench", "{rma}, with everything as you left it"),
        "undo-2",
    ),
    "undone": Sentence(QT_TRANSLATE_NOOP("Bench", "Taken back"), "{what}", "undo-2"),
    "nothing_to_undo": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Nothing to take back"),
        QT_TRANSLATE_NOOP("Bench", "Scan the parcel to begin"),
    ),
    "not_now": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Not possible now"),
        QT_TRANSLATE_NOOP("Bench", "{action}: {why}"),
    ),
    "device_skipped": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Noted: {what}"),
        QT_TRANSLATE_NOOP("Bench", "It stands in the record with the reason. Go on."),
    ),
    "disk_full": Sentence(
        QT_TRANSLATE_NOOP("Bench", "This computer's disk is full"),
        QT_TRANSLATE_NOOP("Bench", "What is confirmed is safe. No new parcel here until IT has made room."),
    ),
    "printing_again": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Printing again"),
        QT_TRANSLATE_NOOP("Bench", "Label {lpn}"),
        "printer",
    ),
    "second_look_noted": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Second look noted"),
        QT_TRANSLATE_NOOP("Bench", "A second person will look at this unit. Go on as usual."),
    ),
    "missing_recorded": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Recorded as not in the parcel"),
        "{title}",
    ),
    "training_same": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Grade {grade}, as agreed"),
        QT_TRANSLATE_NOOP("Bench", "{why}. CONFIRM brings the next item."),
    ),
    "training_differs": Sentence(
        QT_TRANSLATE_NOOP("Bench", "You: {grade} · agreed: {agreed}"),
        QT_TRANSLATE_NOOP("Bench", "{question} You: {own}. Agreed: {other}. {why}. CONFIRM brings the next item."),
        needs="question",
        plain=QT_TRANSLATE_NOOP("Bench", "{why}. CONFIRM brings the next item."),
    ),
    "training_over": Sentence(
        QT_TRANSLATE_NOOP("Bench", "Training is over: {same} of {done} as agreed"),
        QT_TRANSLATE_NOOP("Bench", "You: {grade} · agreed: {agreed}. {why}. Close the window to read all."),
        needs="agreed",
        plain=QT_TRANSLATE_NOOP("Bench", "{why}. Close the window to read all."),
    ),
}

_WEIGHT = {
    ("lighter", True): QT_TRANSLATE_NOOP("Bench", "{difference} lighter than expected: is the {part} inside?"),
    ("lighter", False): QT_TRANSLATE_NOOP("Bench", "{difference} lighter than expected: is everything inside?"),
    ("heavier", True): QT_TRANSLATE_NOOP(
        "Bench", "{difference} heavier than expected: is there a second {part} inside?"
    ),
    ("heavier", False): QT_TRANSLATE_NOOP("Bench", "{difference} heavier than expected: is something else inside?"),
}
_WEIGHT_PLAIN = QT_TRANSLATE_NOOP("Bench", "The weight is not as expected: look inside, then answer")
_PHOTO = QT_TRANSLATE_NOOP("Bench", "Photo {number} of {count} is taken by itself when the item lies still")

_PHOTO_NOW = QT_TRANSLATE_NOOP("Bench", "Take the photo")

_SHAPES = {Band.ACCEPT: "circle-check", Band.HOLD: "triangle-alert", Band.REJECT: "octagon-x"}


def words(notice: Notice) -> tuple[str, str]:
    """The band's two texts: (title, detail)."""
    facts = _spoken(notice)
    sentence = SENTENCES.get(notice.code)
    if sentence is None:
        return readable(notice.code), " · ".join(value for value in facts.values() if value)
    title = say(sentence.title, facts)
    if notice.code == "weight_check":
        return title, _weight_detail(notice.facts)
    if notice.code == "take_photo":
        return (title if facts.get("guide") else say(_PHOTO_NOW)), say(_PHOTO, facts)
    if notice.code == "decided" and not facts.get("grade"):
        title = facts.get("disposition") or "–"
    detail = sentence.plain if sentence.needs and not facts.get(sentence.needs) else sentence.detail
    if detail == "{why}" and not facts.get("why"):
        return title, ""
    return title, say(detail, facts) if detail else ""


def shape(notice: Notice) -> str:
    """The icon in the band: a fixed shape for each of the loud states, the task's own sign when idle."""
    sentence = SENTENCES.get(notice.code)
    return _SHAPES.get(notice.band) or (sentence.icon if sentence else "info")


def _weight_detail(facts: Mapping[str, str]) -> str:
    if not facts.get("difference"):
        return say(_WEIGHT_PLAIN)
    direction = "heavier" if facts.get("direction") == "heavier" else "lighter"
    return say(_WEIGHT[direction, bool(facts.get("part"))], facts)


def _spoken(notice: Notice) -> dict[str, str]:
    """Facts as people say them: codes become words, long scans lose their middle, no sentence ends twice."""
    spoken = dict(notice.facts)
    for name, word in (
        ("disposition", disposition_word),
        ("kind", kind_word),
        ("what", undone_word if notice.code == "undone" else without_word),
        ("action", action_word),
        ("scanned", shorten),
        ("expected", shorten),
        ("why", lambda why: why.rstrip(". ")),
    ):
        if spoken.get(name):
            spoken[name] = word(spoken[name])
    return spoken
