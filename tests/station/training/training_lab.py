"""A training desk over a real store, without a window; a plain module for the tests beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from station.decision.rules import load_rules
from station.identify.commands import Command
from station.ids import uuid7
from station.inspection.desk import Seat
from station.inspection.view import Outcome, State
from station.store.store import Store
from station.training.desk import TrainingDesk
from station.training.item import TrainingItem
from tests.station.inspection.bench import START, TickingClock
from ui.training import keep_recorded, shipped_items

ITEMS = shipped_items()
RULES = load_rules()


class Trainee:
    """A person in training."""

    def __init__(self, home: Path, items: Sequence[TrainingItem] = ITEMS) -> None:
        self.clock = TickingClock()
        self.store = Store.open(home, station="training", clock=self.clock, ballast_bytes=1 << 16)
        self.store.put_merchants({item.merchant.id: item.merchant for item in items}.values())
        self.store.put_items({item.item.sku: item.item for item in items}.values())
        self.store.put_returns(item.authorisation(number, START) for number, item in enumerate(items, 1))
        self.desk = TrainingDesk(
            self.store, RULES, Seat("training", "Ana"), self.clock, uuid7, START, items,
            lambda recorded, at: keep_recorded(self.store, recorded, at),
        )  # fmt: skip
        self.items = items
        self.last = self.desk.resume()

    def give(self, command: Command) -> Outcome:
        self.last = self.desk.command(command)
        return self.last

    def answer(self, item: TrainingItem, **otherwise: str) -> Outcome:
        """Answer as agreed, but for what is said otherwise; then CONFIRM where it is asked for."""
        while self.last.view.state is State.QUESTIONS:
            question = self.last.view.question
            assert question is not None
            choice = otherwise.get(question.id) or item.answers[question.id]
            place = [one.id for one in question.buttons].index(choice)
            self.give(Command(f"choice_{place + 1}"))
        if self.last.view.state is State.CONFIRM:
            self.give(Command.CONFIRM)
        return self.last
