"""A protocol's own texts in the language of the bench, where the protocol brings them; English where it does not.

The desk speaks English and the record stays English: only what stands on the screen changes. Texts are found by their
English wording (``[texts.de]`` of the protocol's file); the lint says which are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QLocale

from station.inspection.view import BenchView

_TEXTS = frozenset({"text", "why", "guide", "label", "task"})
"""Facts of a notice that are a protocol's texts."""


def translated(view: BenchView) -> BenchView:
    """The view as it is shown here."""
    table = view.texts.get(QLocale().name().partition("_")[0])
    return map_texts(view, lambda text: table.get(text) or text) if table else view


def map_texts(view: BenchView, change: Callable[[str], str]) -> BenchView:
    """The same view with every text of its question, shots and short cuts changed."""
    question = view.question
    if question is not None:
        choices = tuple(replace(c, label=change(c.label), hint=change(c.hint)) for c in question.choices)
        question = replace(question, text=change(question.text), why=change(question.why), choices=choices)
    facts = {key: change(value) if key in _TEXTS else value for key, value in view.notice.facts.items()}
    return replace(
        view,
        notice=replace(view.notice, facts=facts),
        question=question,
        shortcuts=tuple(replace(s, label=change(s.label)) for s in view.shortcuts),
        shots=tuple(replace(s, shot=replace(s.shot, title=change(s.shot.title))) for s in view.shots),
    )
