"""The one table of actions: what can be done, by which barcode, which key and under which name.

The bench's keys and buttons, the printed command sheet and the scanner all read this table; nothing else names a
command. Barcodes use ``[A-Z0-9-]`` only and at most 14 characters, so that Code 128 stays readable at 60 mm.
Keys are Qt's portable
names; letters without Ctrl are never used, because a keyboard-wedge scanner types letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "RSC-"
"""Reserved: a scan that starts with it is a command or nothing."""


class Command(StrEnum):
    """Every action of the bench."""

    CHOICE_1 = "choice_1"
    CHOICE_2 = "choice_2"
    CHOICE_3 = "choice_3"
    CHOICE_4 = "choice_4"
    CHOICE_5 = "choice_5"
    CLEAN = "clean"
    SEALED = "sealed"
    CONFIRM = "confirm"
    BACK = "back"
    UNDO = "undo"
    NO_LABEL = "no_label"
    WRONG_ITEM = "wrong_item"
    MISSING = "missing"
    PARK = "park"
    SKIP = "skip"
    PHOTO = "photo"
    SECOND_LOOK = "second_look"
    REPRINT = "reprint"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One row of the table."""

    command: Command
    barcode: str
    key: str
    label: str
    """Two words for the button and the sheet (English; the screens translate)."""
    group: str
    """Group on the sheet: ``answers``, ``flow``, ``parcel`` or ``help``."""


COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(Command.CHOICE_1, "RSC-F1", "F1", "Answer 1", "answers"),
    CommandSpec(Command.CHOICE_2, "RSC-F2", "F2", "Answer 2", "answers"),
    CommandSpec(Command.CHOICE_3, "RSC-F3", "F3", "Answer 3", "answers"),
    CommandSpec(Command.CHOICE_4, "RSC-F4", "F4", "Answer 4", "answers"),
    CommandSpec(Command.CHOICE_5, "RSC-F5", "F5", "Answer 5", "answers"),
    CommandSpec(Command.CLEAN, "RSC-CLEAN", "Ctrl+1", "Clean", "answers"),
    CommandSpec(Command.SEALED, "RSC-SEALED", "Ctrl+2", "Sealed", "answers"),
    CommandSpec(Command.CONFIRM, "RSC-CONFIRM", "F11", "Confirm", "flow"),
    CommandSpec(Command.BACK, "RSC-BACK", "Esc", "Back", "flow"),
    CommandSpec(Command.UNDO, "RSC-UNDO", "Ctrl+Z", "Undo", "flow"),
    CommandSpec(Command.SKIP, "RSC-SKIP", "F8", "Skip", "flow"),
    CommandSpec(Command.PHOTO, "RSC-PHOTO", "F9", "Photo", "flow"),
    CommandSpec(Command.SECOND_LOOK, "RSC-SECOND", "F10", "Second look", "flow"),
    CommandSpec(Command.REPRINT, "RSC-REPRINT", "Ctrl+P", "Print again", "flow"),
    CommandSpec(Command.NO_LABEL, "RSC-NO-LABEL", "Ctrl+N", "No label", "parcel"),
    CommandSpec(Command.WRONG_ITEM, "RSC-WRONG", "F6", "Wrong item", "parcel"),
    CommandSpec(Command.MISSING, "RSC-MISSING", "Ctrl+M", "Not in parcel", "parcel"),
    CommandSpec(Command.PARK, "RSC-PARK", "F7", "Park", "parcel"),
    CommandSpec(Command.HELP, "RSC-HELP", "F12", "Help", "help"),
)

BY_BARCODE = {spec.barcode: spec for spec in COMMANDS}
BY_COMMAND = {spec.command: spec for spec in COMMANDS}
