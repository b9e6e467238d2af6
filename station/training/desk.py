"""The desk in training: each recorded item is put on the bench, weighed and photographed; the person judges it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from station.clock import Clock
from station.decision.rules import Rules
from station.errors import Defect
from station.identify.commands import BY_COMMAND, PREFIX, Command
from station.identify.scan import RawScan
from station.identify.text import split_aim
from station.inspection.desk import Desk, Seat
from station.inspection.facts import Look, Photo, StableSource, WeightReading
from station.inspection.ports import BenchStore
from station.inspection.view import Band, Notice, Outcome, State, Tone
from station.training.feedback import Feedback, Session, compare, session_of
from station.training.item import RecordedPhoto, TrainingItem

_DEVICE: Final = "training"
_INTERVAL_MG: Final = 1_000
_MOST_STEPS: Final = 40
"""An item that is not with the person after so many steps never will be."""
_ALLOWED: Final = frozenset(
    {Command.CONFIRM, Command.UNDO, Command.BACK, Command.HELP, Command.SECOND_LOOK, Command.CLEAN, Command.SEALED,
     Command.CHOICE_1, Command.CHOICE_2, Command.CHOICE_3, Command.CHOICE_4, Command.CHOICE_5}
)  # fmt: skip

KeepPhoto = Callable[[RecordedPhoto, datetime], Photo]
"""Stores a recorded photo in the training home."""


class TrainingDesk(Desk):
    """A desk whose goods come by themselves. Everything else is the desk's own."""

    def __init__(
        self,
        store: BenchStore,
        rules: Rules,
        seat: Seat,
        clock: Clock,
        ids: Callable[[], str],
        shift_start: datetime,
        items: Sequence[TrainingItem],
        keep_photo: KeepPhoto,
    ) -> None:
        """
        Args:
            store: of the training home; the items' returns are in it.
            keep_photo: called before a photo is named.
        """
        super().__init__(store, rules, seat, clock, ids, shift_start)
        self._items = tuple(items)
        self._keep = keep_photo
        self._next = 0
        """Number of items that were put on the bench."""
        self._told: list[Feedback] = []

    @property
    def session(self) -> Session:
        """What the training comes to so far."""
        return session_of(self._told, len(self._items))

    def resume(self) -> Outcome:
        """The first item; a session is not taken up again."""
        return self._go_on(super().resume())

    def show(self) -> Outcome:
        return self._said(super().show())

    def scan(self, scan: RawScan) -> Outcome:
        """Commands and answers; goods are not scanned here."""
        _, payload = split_aim(scan.data)
        text = payload.decode("utf-8", "replace").strip()
        if not text.startswith(PREFIX) and self._at.draft.state is not State.QUESTIONS:
            return self._said(self._at.not_now("Scan", "in training the items come by themselves"))
        return self._go_on(super().scan(scan))

    def entered(self, typed: str, given_by: str = "key") -> Outcome:
        return self._go_on(super().entered(typed, given_by))

    def weight(self, reading: WeightReading) -> Outcome | None:
        """A real scale is none of this."""
        return None

    def photo(self, photo: Photo, look: Look | None = None) -> Outcome | None:
        """A real camera is none of this."""
        return None

    def labels_again(self) -> Outcome | None:
        return None

    def command(self, command: Command, given_by: str = "key", *, device_detail: str = "") -> Outcome:
        """As the desk's; CONFIRM after an item brings the next one."""
        if command not in _ALLOWED:
            word = BY_COMMAND[command].command.value.replace("_", " ")
            return self._said(self._at.not_now(word, "not in training: every item is here and is finished"))
        if self._at.draft.state in (State.DONE, State.IDLE) and command is Command.CONFIRM:
            return self._bring()
        return self._go_on(super().command(command, given_by, device_detail=device_detail))

    # --- inside ---------------------------------------------------------------------------------------------------

    def _bring(self) -> Outcome:
        """Put the next item on the bench."""
        if self._next >= len(self._items):
            return self._said(super().show())
        self._next += 1
        plate = self._item.plate(self._next).encode()
        return self._go_on(super().scan(RawScan(plate, _DEVICE, self._at.clock.now())))

    @property
    def _item(self) -> TrainingItem:
        """The item on the bench, by its plate: after UNDO it may be an earlier one."""
        parcel = self._at.draft.parcel
        lpns = parcel.authorisation.lpns if parcel is not None and parcel.authorisation is not None else ()
        for number, item in enumerate(self._items, 1):
            if item.plate(number) in lpns and self._at.draft.state is not State.DONE:
                return item
        return self._items[self._next - 1]

    def _go_on(self, outcome: Outcome) -> Outcome:
        """Do what hands and devices would do, until the person is asked or the item is done."""
        before = self._at.draft.state
        for _ in range(_MOST_STEPS):
            view = outcome.view
            if view.state is State.IDLE and self._next < len(self._items):
                return self._bring()
            if view.state is State.ITEM:
                outcome = super().scan(RawScan(self._item.scan, _DEVICE, self._at.clock.now()))
            elif view.wants_weight:
                reading = WeightReading(
                    self._item.gross_mg, StableSource.SCALE, "g", _INTERVAL_MG, b"recorded", _DEVICE,
                    self._at.clock.now(),
                )  # fmt: skip
                outcome = super().weight(reading) or outcome
            elif view.wants_photo and view.current_shot is not None:
                outcome = super().photo(self._photo(view.current_shot.id)) or outcome
            else:
                break
        else:
            raise Defect(f"the training item {self._item.id!r} does not come past {before.value!r}")
        if outcome.view.state is State.DONE:
            self._tell()
        return self._said(outcome)

    def _photo(self, shot: str) -> Photo:
        """The recorded photo of a shot; where the protocol asks for one that nobody took, the first stands in."""
        photos = self._item.photos
        found = next((photo for photo in photos if photo.shot == shot), photos[0])
        return self._keep(replace(found, shot=shot), self._at.clock.now())

    def _tell(self) -> None:
        """Keep what the person said of the item that is done."""
        unit, parcel = self._at.draft.unit, self._at.draft.parcel
        if unit is None or parcel is None or parcel.authorisation is None:
            return
        for number, item in enumerate(self._items, 1):
            if item.plate(number) in parcel.authorisation.lpns:
                decision = self._at.decision(self._at.draft, unit)
                grade = decision.grade.code if decision.grade is not None else None
                self._told.append(compare(item, unit.answered, grade, self._at.protocol(unit)))

    def _said(self, outcome: Outcome) -> Outcome:
        """The view with the feedback in the band; no label ever leaves."""
        view = outcome.view
        over = self._next >= len(self._items)
        if view.state is State.DONE and self._told and view.notice.code != "not_now":
            last = self._told[-1]
            actions = (Command.CONFIRM, Command.UNDO, Command.HELP)
            view = replace(view, notice=self._notice(last, over=over), actions=actions)
            return replace(outcome, view=view, labels=(), tone=Tone.ACCEPT if last.same else Tone.TICK)
        kept = tuple(command for command in view.actions if command in _ALLOWED)
        return replace(outcome, view=replace(view, actions=kept), labels=())

    def _notice(self, last: Feedback, *, over: bool) -> Notice:
        session = self.session
        facts = {
            "grade": last.yours or "",
            "agreed": last.agreed or "",
            "why": last.why,
            "same": str(session.same),
            "done": str(len(session.done)),
            "count": str(session.of),
        }
        if last.differences:
            first = last.differences[0]
            facts |= {"question": first.question, "own": first.yours, "other": first.agreed}
        if over:
            return Notice(Band.ACCEPT if last.same else Band.IDLE, "training_over", facts)
        if last.same:
            return Notice(Band.ACCEPT, "training_same", facts)
        return Notice(Band.IDLE, "training_differs", facts)
