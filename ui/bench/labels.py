"""Words for codes: commands, dispositions, reasons, policies, axes. Each falls back to the code read as words."""

from __future__ import annotations

from station.identify.commands import BY_COMMAND, Command
from station.inspection.view import Step
from ui.bench.speech import QT_TRANSLATE_NOOP, readable, say, shorten

_COMMANDS = {
    Command.CHOICE_1: QT_TRANSLATE_NOOP("Bench", "Answer 1"),
    Command.CHOICE_2: QT_TRANSLATE_NOOP("Bench", "Answer 2"),
    Command.CHOICE_3: QT_TRANSLATE_NOOP("Bench", "Answer 3"),
    Command.CHOICE_4: QT_TRANSLATE_NOOP("Bench", "Answer 4"),
    Command.CHOICE_5: QT_TRANSLATE_NOOP("Bench", "Answer 5"),
    Command.CLEAN: QT_TRANSLATE_NOOP("Bench", "Clean"),
    Command.SEALED: QT_TRANSLATE_NOOP("Bench", "Sealed"),
    Command.CONFIRM: QT_TRANSLATE_NOOP("Bench", "Confirm"),
    Command.BACK: QT_TRANSLATE_NOOP("Bench", "Back"),
    Command.UNDO: QT_TRANSLATE_NOOP("Bench", "Undo"),
    Command.NO_LABEL: QT_TRANSLATE_NOOP("Bench", "No label"),
    Command.WRONG_ITEM: QT_TRANSLATE_NOOP("Bench", "Wrong item"),
    Command.MISSING: QT_TRANSLATE_NOOP("Bench", "Not in parcel"),
    Command.PARK: QT_TRANSLATE_NOOP("Bench", "Park"),
    Command.SKIP: QT_TRANSLATE_NOOP("Bench", "Skip"),
    Command.PHOTO: QT_TRANSLATE_NOOP("Bench", "Photo"),
    Command.SECOND_LOOK: QT_TRANSLATE_NOOP("Bench", "Second look"),
    Command.REPRINT: QT_TRANSLATE_NOOP("Bench", "Print again"),
    Command.HELP: QT_TRANSLATE_NOOP("Bench", "Help"),
}

_HINTS = {
    Command.CLEAN: QT_TRANSLATE_NOOP("Bench", "nothing wrong with it"),
    Command.SEALED: QT_TRANSLATE_NOOP("Bench", "factory seal unbroken"),
    Command.CONFIRM: QT_TRANSLATE_NOOP("Bench", "record it and print the label"),
    Command.NO_LABEL: QT_TRANSLATE_NOOP("Bench", "a parcel without a return"),
    Command.WRONG_ITEM: QT_TRANSLATE_NOOP("Bench", "record what came instead"),
    Command.MISSING: QT_TRANSLATE_NOOP("Bench", "announced, but it did not come"),
    Command.PARK: QT_TRANSLATE_NOOP("Bench", "finish the parcel later"),
    Command.SKIP: QT_TRANSLATE_NOOP("Bench", "go on without it"),
    Command.PHOTO: QT_TRANSLATE_NOOP("Bench", "one more, for the record"),
    Command.REPRINT: QT_TRANSLATE_NOOP("Bench", "the label of this unit"),
}

_HELP = {
    **_HINTS,
    Command.CHOICE_1: QT_TRANSLATE_NOOP("Bench", "first answer on the screen"),
    Command.CHOICE_2: QT_TRANSLATE_NOOP("Bench", "second answer"),
    Command.CHOICE_3: QT_TRANSLATE_NOOP("Bench", "third answer"),
    Command.CHOICE_4: QT_TRANSLATE_NOOP("Bench", "fourth answer"),
    Command.CHOICE_5: QT_TRANSLATE_NOOP("Bench", "fifth answer"),
    Command.BACK: QT_TRANSLATE_NOOP("Bench", "one step back"),
    Command.UNDO: QT_TRANSLATE_NOOP("Bench", "take the last thing back"),
    Command.SECOND_LOOK: QT_TRANSLATE_NOOP("Bench", "ask for a second person"),
    Command.HELP: QT_TRANSLATE_NOOP("Bench", "show or hide this page"),
}

_GROUPS = {
    "answers": QT_TRANSLATE_NOOP("Bench", "Answers"),
    "flow": QT_TRANSLATE_NOOP("Bench", "Flow"),
    "parcel": QT_TRANSLATE_NOOP("Bench", "Parcel and item"),
    "help": QT_TRANSLATE_NOOP("Bench", "Help"),
}

_DISPOSITIONS = {
    "restock": QT_TRANSLATE_NOOP("Bench", "Restock"),
    "repackage": QT_TRANSLATE_NOOP("Bench", "Repackage"),
    "refurbish": QT_TRANSLATE_NOOP("Bench", "Refurbish"),
    "liquidate": QT_TRANSLATE_NOOP("Bench", "Liquidate"),
    "return_to_vendor": QT_TRANSLATE_NOOP("Bench", "To vendor"),
    "donate": QT_TRANSLATE_NOOP("Bench", "Donate"),
    "recycle": QT_TRANSLATE_NOOP("Bench", "Recycle"),
    "destroy": QT_TRANSLATE_NOOP("Bench", "Destroy"),
    "quarantine": QT_TRANSLATE_NOOP("Bench", "Hold"),
    "missing": QT_TRANSLATE_NOOP("Bench", "Missing"),
    "ship_back": QT_TRANSLATE_NOOP("Bench", "Ship back"),
}

_REASONS = {
    "size_too_small": QT_TRANSLATE_NOOP("Bench", "too small"),
    "size_too_large": QT_TRANSLATE_NOOP("Bench", "too large"),
    "colour": QT_TRANSLATE_NOOP("Bench", "other colour expected"),
    "style": QT_TRANSLATE_NOOP("Bench", "does not suit"),
    "not_as_described": QT_TRANSLATE_NOOP("Bench", "not as described"),
    "defective": QT_TRANSLATE_NOOP("Bench", "defective"),
    "damaged_in_transit": QT_TRANSLATE_NOOP("Bench", "damaged in transit"),
    "wrong_item": QT_TRANSLATE_NOOP("Bench", "wrong item sent"),
    "unwanted": QT_TRANSLATE_NOOP("Bench", "not wanted any more"),
    "arrived_late": QT_TRANSLATE_NOOP("Bench", "arrived late"),
    "other": QT_TRANSLATE_NOOP("Bench", "another reason"),
}

_POLICIES = {
    "marketplace": QT_TRANSLATE_NOOP("Bench", "{days} days, paid at first scan"),
    "customer_first": QT_TRANSLATE_NOOP("Bench", "{days} days, paid on receipt"),
    "small_brand": QT_TRANSLATE_NOOP("Bench", "{days} days, after check"),
}

_AXES = {
    "function": QT_TRANSLATE_NOOP("Bench", "function"),
    "cosmetics": QT_TRANSLATE_NOOP("Bench", "cosmetics"),
    "packaging": QT_TRANSLATE_NOOP("Bench", "packaging"),
    "completeness": QT_TRANSLATE_NOOP("Bench", "completeness"),
}

_KINDS = {
    "rma": QT_TRANSLATE_NOOP("Bench", "return number"),
    "lpn": QT_TRANSLATE_NOOP("Bench", "licence plate"),
    "tracking": QT_TRANSLATE_NOOP("Bench", "tracking number"),
    "gtin": QT_TRANSLATE_NOOP("Bench", "GTIN"),
    "sscc": QT_TRANSLATE_NOOP("Bench", "SSCC"),
    "serial": QT_TRANSLATE_NOOP("Bench", "serial number"),
    "gs1": QT_TRANSLATE_NOOP("Bench", "GS1 code"),
}

_UNDONE = {
    "parcel_opened": QT_TRANSLATE_NOOP("Bench", "The parcel is closed again: scan a parcel"),
    "identified": QT_TRANSLATE_NOOP("Bench", "The item: scan it again"),
    "mismatched": QT_TRANSLATE_NOOP("Bench", "The wrong item: scan the right one"),
    "mismatch_dropped": QT_TRANSLATE_NOOP("Bench", "Putting the wrong item aside"),
    "weighed": QT_TRANSLATE_NOOP("Bench", "The weight: put it on the scale again"),
    "weigh_again": QT_TRANSLATE_NOOP("Bench", "Weighing again"),
    "weight_explained": QT_TRANSLATE_NOOP("Bench", "The answer about the weight"),
    "photographed": QT_TRANSLATE_NOOP("Bench", "The last photo"),
    "answered": QT_TRANSLATE_NOOP("Bench", "The last answer"),
    "skipped": QT_TRANSLATE_NOOP("Bench", "The skipped step: do it now"),
    "second_look": QT_TRANSLATE_NOOP("Bench", "Asking for a second look"),
    "gate_acted": QT_TRANSLATE_NOOP("Bench", "The last answer"),
    "permitted": QT_TRANSLATE_NOOP("Bench", "The last answer"),
    "confirmed": QT_TRANSLATE_NOOP("Bench", "The decision: the record says that it was undone"),
}

_STEPS = {
    Step.PARCEL: QT_TRANSLATE_NOOP("Bench", "Parcel"),
    Step.ITEM: QT_TRANSLATE_NOOP("Bench", "Item"),
    Step.WEIGHT: QT_TRANSLATE_NOOP("Bench", "Weight"),
    Step.PHOTOS: QT_TRANSLATE_NOOP("Bench", "Photos"),
    Step.QUESTIONS: QT_TRANSLATE_NOOP("Bench", "Questions"),
    Step.DECISION: QT_TRANSLATE_NOOP("Bench", "Decision"),
}


def command_word(command: Command) -> str:
    """Two words for a button."""
    return say(_COMMANDS.get(command, BY_COMMAND[command].label))


def command_hint(command: Command) -> str:
    """One line under a button; empty where its name says all."""
    return say(_HINTS[command]) if command in _HINTS else ""


def command_help(command: Command) -> str:
    """One line on the help page."""
    return say(_HELP[command]) if command in _HELP else ""


def command_key(command: Command) -> str:
    """The key as it is read: ``Ctrl Z``."""
    return BY_COMMAND[command].key.replace("+", " ")


def group_word(group: str) -> str:
    return say(_GROUPS[group]) if group in _GROUPS else readable(group)


def disposition_word(code: str) -> str:
    return say(_DISPOSITIONS[code]) if code in _DISPOSITIONS else readable(code)


def reason_word(code: str) -> str:
    """What the customer declared."""
    return say(_REASONS[code]) if code in _REASONS else readable(code).lower()


def policy_word(policy: str, days: int | None) -> str:
    """The return window and when the money goes back."""
    known = _POLICIES.get(policy)
    if days is None:
        return readable(policy)
    return say(known or QT_TRANSLATE_NOOP("Bench", "{days} days"), {"days": str(days)})


def axis_word(axis: str) -> str:
    return say(_AXES[axis]) if axis in _AXES else readable(axis).lower()


def kind_word(kind: str) -> str:
    return say(_KINDS[kind]) if kind in _KINDS else readable(kind).lower()


def undone_word(what: str) -> str:
    """What UNDO took back."""
    return say(_UNDONE[what]) if what in _UNDONE else readable(what)


def without_word(what: str) -> str:
    """A skipped step: ``weight`` or ``photo:<shot>``."""
    if what == "weight":
        return say(QT_TRANSLATE_NOOP("Bench", "without a weight"))
    if what.startswith("photo:"):
        shot = readable(what.removeprefix("photo:")).lower()
        return say(QT_TRANSLATE_NOOP("Bench", "without the photo “{shot}”"), {"shot": shot})
    return readable(what)


def action_word(action: str) -> str:
    """A command's code or a scan that came too early."""
    try:
        return command_word(Command(action))
    except ValueError:
        return shorten(action)


def step_word(step: Step) -> str:
    return say(_STEPS[step])
