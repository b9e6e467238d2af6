"""What a person said of a recorded item beside what was agreed, and what a session comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from station.analysis.basis import counted
from station.inspection.protocol import Protocol
from station.training.item import TrainingItem


@dataclass(frozen=True, slots=True)
class Difference:
    """One question that was answered otherwise than agreed."""

    question: str
    """As it stands on the screen."""
    yours: str
    agreed: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """One item."""

    item: str
    title: str
    yours: str | None
    """Grade; None = it got none."""
    agreed: str | None
    differences: tuple[Difference, ...]
    why: str
    """What to look at."""

    @property
    def same(self) -> bool:
        """The same grade by the same answers."""
        return self.yours == self.agreed and not self.differences

    @property
    def text(self) -> str:
        """Short sentences, for the person."""
        if self.same:
            return f"{self.title}: grade {self.yours or 'none'}, as agreed. {self.why}"
        told = "; ".join(f"{one.question} You: {one.yours}. Agreed: {one.agreed}" for one in self.differences)
        grades = f"your grade {self.yours or 'none'}, agreed {self.agreed or 'none'}"
        return f"{self.title}: {grades}. {told + '. ' if told else ''}{self.why}"


def compare(item: TrainingItem, answers: Mapping[str, str], grade: str | None, protocol: Protocol) -> Feedback:
    """Compare the answers that both have; the first that differs explains the ones behind it."""
    differences = []
    for question in protocol.questions:
        mine, theirs = answers.get(question.id), item.answers.get(question.id)
        if mine is None or theirs is None or mine == theirs:
            continue
        words = []
        for choice_id in (mine, theirs):
            choice = question.choice(choice_id)
            words.append(choice.label if choice is not None else choice_id.replace("_", " "))
        differences.append(Difference(question.text, words[0], words[1]))
    return Feedback(item.id, item.item.title, grade, item.grade, tuple(differences), item.why)


@dataclass(frozen=True, slots=True)
class Session:
    """One person's training so far. No mark and no ranking: what was the same, and what to look at again."""

    done: tuple[Feedback, ...]
    of: int
    """Items there are."""

    @property
    def same(self) -> int:
        return sum(feedback.same for feedback in self.done)

    @property
    def text(self) -> tuple[str, ...]:
        if not self.done:
            return (f"TRAINING: none of {counted(self.of, 'item')} was finished",)
        begin = f"TRAINING: {self.same} of {counted(len(self.done), 'item')} as agreed"
        if len(self.done) < self.of:
            begin += f"; {self.of - len(self.done)} were not begun"
        again = [feedback.text for feedback in self.done if not feedback.same]
        return (begin, *(["Worth another look:"] if again else []), *again)


def session_of(done: Iterable[Feedback], of: int) -> Session:
    """What was said last of each item, in the order of the items."""
    last: dict[str, Feedback] = {}
    for feedback in done:
        last[feedback.item] = feedback
    return Session(tuple(last.values()), of)
