"""Translatable words: marked where they stand in tables, translated where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from PySide6.QtCore import QCoreApplication, QLocale

from station.quantities import Money, format_mass

CONTEXT = "Bench"
NBSP = "\N{NO-BREAK SPACE}"


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:
    """Mark a text in a table for ``pyside6-lupdate``, which knows this name. (Qt's own returns ``object`` to mypy.)"""
    return text


def say(text: str, facts: Mapping[str, str] | None = None) -> str:
    """Translate a text and put its facts in; a fact that is missing shows as a dash, never as an error."""
    translated = QCoreApplication.translate(CONTEXT, text)
    return translated.format_map(_Facts(facts)) if facts is not None else translated


class _Facts(dict[str, str]):
    def __init__(self, facts: Mapping[str, str]) -> None:
        super().__init__({key: value for key, value in facts.items() if value})

    def __missing__(self, key: str) -> str:
        return "–"


def readable(code: str) -> str:
    """A code nobody gave words to, as words: ``some_new_code`` → ``Some new code``."""
    words = code.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "PLN": "zł", "JPY": "¥", "CHF": "CHF"}


def money(amount: Money) -> str:
    """An amount as it is read here: ``1,129.00 €``. Integer arithmetic only."""
    number, _, currency = str(amount).rpartition(" ")
    sign, digits = ("\N{MINUS SIGN}", number[1:]) if number.startswith("-") else ("", number)
    whole, _, part = digits.partition(".")
    locale = QLocale()
    text = locale.toString(int(whole)) + (locale.decimalPoint() + part if part else "")
    return f"{sign}{text}{NBSP}{_SYMBOLS.get(currency, currency)}"


def mass(milligrams: int) -> str:
    """A mass with the unit kept beside its number."""
    return format_mass(milligrams).replace(" ", NBSP).replace("-", "\N{MINUS SIGN}")


def duration(seconds: int) -> str:
    """Minutes and seconds, ``1:24``; hours only where there are some.

    >>> duration(84), duration(3723)
    ('1:24', '1:02:03')
    """
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def days_ago(then: datetime, now: datetime) -> str:
    """How long ago, in days of the bench's own calendar."""
    days = (now.astimezone().date() - then.astimezone().date()).days
    if days <= 0:
        return QCoreApplication.translate(CONTEXT, "today")
    if days == 1:
        return QCoreApplication.translate(CONTEXT, "yesterday")
    return QCoreApplication.translate(CONTEXT, "{days} days ago").format(days=days)


def shorten(text: str, most: int = 34) -> str:
    """A long scan with its middle left out: both ends are what people compare.

    >>> shorten("010426012345678821HD7-2294117270101", 20)
    '0104260123…117270101'
    """
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[-(most - head - 1) :]}"
