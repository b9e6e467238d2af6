"""Reading a JSON document strictly: every table knows its path and its keys, every refusal says what was allowed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from station.errors import InvalidInput
from station.quantities import Money, parse_money
from station.toml_file import did_you_mean

E = TypeVar("E", bound=StrEnum)

MOST_BYTES = 1_000_000


def parse_json(data: bytes) -> object:
    """Parse a document; fractions stay exact decimals.

    Raises:
        InvalidInput: too large, not UTF-8, not JSON, a key twice, NaN or Infinity.
    """
    if len(data) > MOST_BYTES:
        raise InvalidInput(f"the document has {len(data)} bytes; an inspection has at most {MOST_BYTES}")
    try:
        parsed: object = json.loads(
            data.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_pairs
        )
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the document is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"not JSON that can be read: {error}") from error
    return parsed


def _no_constant(text: str) -> object:
    raise InvalidInput(f"{text} is not a number here")


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table: dict[str, object] = {}
    for key, value in pairs:
        if key in table:
            raise InvalidInput(f"key {key!r} is there twice")
        table[key] = value
    return table


class Table:
    """One JSON object that knows its path and its allowed keys."""

    def __init__(self, value: object, path: str, known: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            raise InvalidInput(f"{path or 'the document'} must be an object {{…}}, got {kind_of(value)}")
        self.path, self._values = path, value
        for key in value:
            if key not in known:
                raise InvalidInput(f"unknown key {self.at(key)!r}; {did_you_mean(key, known)}")

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def get(self, key: str) -> object:
        return self._values.get(key)

    def has(self, key: str) -> bool:
        return self._values.get(key) is not None

    def table(self, key: str, known: tuple[str, ...]) -> Table | None:
        return Table(self._values[key], self.at(key), known) if self.has(key) else None

    def text(self, key: str, *, needed: bool = False, default: str = "") -> str:
        value = self.get(key)
        if value is None:
            if needed:
                raise InvalidInput(f"{self.at(key)!r} is missing")
            return default
        if not isinstance(value, str):
            raise InvalidInput(f"{self.at(key)!r} must be text in quotes, got {kind_of(value)}")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"{self.at(key)!r} is not valid Unicode: {value!r}") from error
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise InvalidInput(f"{self.at(key)!r} must be a list of texts, got {kind_of(value)}")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, object]:
        value = self.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise InvalidInput(f"{self.at(key)!r} must be an object {{…}}, got {kind_of(value)}")
        return value

    def number(self, key: str, default: int) -> int:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidInput(f"{self.at(key)!r} must be a whole number, got {kind_of(value)}")
        return value

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            raise InvalidInput(f"{self.at(key)!r} must be true or false, got {kind_of(value)}")
        return bool(value)

    def choice(self, key: str, words: type[E]) -> E:
        """One word of an enum; it must be there."""
        return word_of(self.text(key, needed=True), words, self.at(key))

    def choice_or(self, key: str, default: E) -> E:
        """One word of the default's enum, or the default where the key is absent."""
        return word_of(self.text(key), type(default), self.at(key)) if self.has(key) else default

    def time(self, key: str) -> datetime | None:
        text = self.text(key)
        if not text:
            return None
        try:
            if len(text) == 10:
                day = date.fromisoformat(text)
                return datetime(day.year, day.month, day.day, tzinfo=UTC)
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise InvalidInput(f"{self.at(key)!r} = {text!r} has no time zone: add Z for UTC")
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise InvalidInput(f"{self.at(key)!r} = {text!r} is not a time: expected 2026-11-22T10:17:00Z") from error

    def money(self, key: str, currency: str) -> Money | None:
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            table = Table(value, self.at(key), ("minor", "currency"))
            return Money(
                table.number("minor", 0), currency_of(table.text("currency", default=currency), table.at("currency"))
            )
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise InvalidInput(f'{self.at(key)!r} must be an amount like "129.00", got {kind_of(value)}')
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        amount, _, named = text.strip().partition(" ")
        try:
            return parse_money(amount, currency_of(named.strip() or currency, self.at(key)))
        except InvalidInput as error:
            raise InvalidInput(f"{self.at(key)!r}: {error}") from error

    def mass(self, key: str) -> int | None:
        """Grams in the document, integer milligrams here."""
        return milligrams_of(self.get(key), self.at(key)) if self.has(key) else None


def kind_of(value: object) -> str:
    """What stood there, for a message."""
    if value is None:
        return "null"
    names = {dict: "an object", list: "a list", str: "text", bool: "true/false", int: "a number", Decimal: "a number"}
    return f"{names.get(type(value), type(value).__name__)} {str(value)[:40]!r}"


def word_of(text: str, words: type[E], where: str) -> E:
    """A word of an enum.

    Raises:
        InvalidInput: with the nearest word.
    """
    try:
        return words(text)
    except ValueError as error:
        raise InvalidInput(f"{where!r} = {text!r}; {did_you_mean(text, [word.value for word in words])}") from error


def currency_of(text: str, where: str) -> str:
    """An ISO 4217 code by its shape.

    Raises:
        InvalidInput: not three capitals.
    """
    if len(text) != 3 or not text.isascii() or not text.isupper() or not text.isalpha():
        raise InvalidInput(f"{where!r}: {text!r} is not a currency: expected three capitals like EUR")
    return text


def milligrams_of(value: object, where: str) -> int:
    """Grams as integer milligrams, exact.

    Raises:
        InvalidInput: not a number, finer than a milligram, or absurd.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidInput(f"{where!r} must be a mass in grams, got {kind_of(value)}")
    milligrams = Decimal(value) * 1000
    if milligrams != int(milligrams) or abs(milligrams) > 10**12:
        raise InvalidInput(f"{where!r} = {value} g: expected at most three decimals and less than 1000 t")
    return int(milligrams)
