"""One thing that is wrong or unwise in a rule file: where, what, what to do, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad."""

    ERROR = "error"
    """Must not go live: somebody would be misled, or a unit could go where it must not."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to change."""

    code: str
    where: str
    text: str
    """What is wrong."""
    severity: Severity = Severity.ERROR
    line: int | None = None
    """Line of the file, from 1, where it is known."""

    @property
    def advice(self) -> str:
        """What to do."""
        return ADVICE.get(self.code, "change it as the text says")


def warning(code: str, where: str, text: str) -> Finding:
    return Finding(code, where, text, Severity.WARNING)


ADVICE: dict[str, str] = {
    "unreadable": "correct the file as the text says",
    "prefilled_answer": "leave it out: no answer is given before somebody has looked",
    "ambiguous_precedence": "let one of them give way: another category, a merchant, or single SKUs",
    "text_too_long": "say it shorter",
    "too_many_words": "say it in fewer words, or in two sentences",
    "too_many_steps": "keep two steps; make a question or a shot of the rest",
    "hint_missing": "say in one line what it looks like",
    "shots_missing": "add one shot",
    "too_many_shots": "leave out what proves nothing more",
    "too_many_choices": "split the question",
    "one_choice": "add an answer, or leave the question out",
    "same_label": "name them differently",
    "no_effect": "give it axes, a gate, a defect or a further question, or leave it out",
    "same_effect": "give the answers different consequences, or leave the question out",
    "reason_missing": "add 'reason', the sentence that goes into the record",
    "bad_code": "choose another code",
    "unreachable_question": "check 'when': ask it after an answer that can be given",
    "unreachable_shot": "check 'when': no way through leads to this photo",
    "axis_not_judged": "ask about it on this way, give the level with an answer, or raise a gate that holds the unit",
    "axis_needed_by_scheme": "judge the axis, or name it in the scheme's 'optional'",
    "unreachable_grade": "check the levels of the best answers",
    "grade_never_given": "check its minimum levels, or leave the grade out",
    "no_clean_way": "let one way through be without a fault",
    "clean_way_too_long": "ask a clean unit less",
    "way_too_long": "ask less, or hold the unit earlier",
    "shortcut_code": "use a command of the sheet",
    "shortcut_incomplete": "answer it too",
    "shortcut_not_clean": "answer with the clean choice",
    "shortcut_clears_proof": "leave it to an answer of its own",
    "shortcut_not_refused": "name them in 'unless_reasons'",
    "gate_contradiction": "raise it or clear it, not both",
    "gate_not_clearable": "leave it out of 'clears'",
    "gate_never_asked": "ask on this way, raise the gate with an answer, or ask for a second look",
    "gate_cleared_unasked": "let a person press an answer that clears it",
    "trait_not_asked": "add a question for it, or name the gate in 'unasked'",
    "unasked_but_asked": "leave it out of 'unasked'",
    "scan_unheeded": "add second_look = true, or a gate",
    "rework_helps_never": "add 'mends' to the answer that says it helped",
    "mends_nothing": "ask it only after the answers that it can mend",
    "picture_missing": "put the drawing into rules/pictures, or correct the name",
    "picture_unnamed": "give each answer a picture: people look before they read",
    "translation_missing": "add the text to [texts.<language>]",
    "translation_stale": "correct the English text in [texts.<language>], or leave it out",
    "too_many_branches": "make it smaller: nobody can check it, and nobody can keep it in mind",
    "no_disposition": "offer a way in the policy, or hold it with a gate that says why",
    "unknown_category": "correct the category, or write a protocol for it",
    "no_recovery": "give 'recovery_bp'",
    "same_meaning": "write what sets them apart",
    "deduction_twice": "keep one of them",
    "deduction_order": "turn them round",
    "deduction_capped": "raise 'max_deduction_bp' or lower the deduction",
    "label_cost_missing": "give the cost of the label",
    "no_routes": "offer at least one way",
}
"""Code → what to do."""
