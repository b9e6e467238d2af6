"""TOML files → typed frozen structs, once and strictly: an unknown key is an error that names the nearest known one."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from station.canonical import canonical_json
from station.errors import InvalidInput

T = TypeVar("T")

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`(?: - at `(?P<path>[^`]*)`)?")
_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>[^\]]*)\]")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed file, not yet typed."""

    source: str
    """Where it came from, for messages."""
    text: str
    table: dict[str, object]
    sha256: str
    """Hash of the canonical content: comments, order and white space do not change it."""


def read_toml(path: Path) -> TomlFile:
    """Read one file.

    Raises:
        InvalidInput: not readable, not UTF-8, not TOML, or it holds something that has no place in a record (a float).
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    return parse_toml(text, str(path))


def parse_toml(text: str, source: str) -> TomlFile:
    """Parse TOML text.

    Raises:
        InvalidInput: as for :func:`read_toml`.
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"{source}: is not valid TOML: {error}") from error
    try:
        digest = hashlib.sha256(canonical_json(table)).hexdigest()
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error}") from error
    return TomlFile(source, text, table, digest)


def typed(file: TomlFile, type_: type[T]) -> T:
    """Turn a parsed file into a frozen struct with ``forbid_unknown_fields``.

    Raises:
        InvalidInput: unknown key (with "did you mean"), wrong type, missing key; names the path and, where it is
            certain, the line.
    """
    try:
        return msgspec.convert(file.table, type_, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{file.source}{_explain(str(error), file.text, type_)}") from error


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """The end of a message about an unknown word.

    >>> did_you_mean("axis", ("axes", "hint"))
    "did you mean 'axes'? (known: axes, hint)"
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    listing = ", ".join(sorted(known)) or "none"
    return f"did you mean {close[0]!r}? (known: {listing})" if close else f"expected one of: {listing}"


def _explain(message: str, text: str, type_: object) -> str:
    unknown = _UNKNOWN.match(message)
    if unknown is not None:
        key, path = unknown["key"], (unknown["path"] or "$")
        names = _fields_at(type_, path)
        return f"{_line_of(key, text)}: unknown key {key!r} in {_where(path)}; {did_you_mean(key, names)}"
    found = _AT.match(message)
    if found is None:
        return f": {message}"
    path = found["path"] or "$"
    last = path.rpartition(".")[2].partition("[")[0]
    return f"{_line_of(last, text)}: {_where(path)}: {found['what']}"


def _where(path: str) -> str:
    return path.removeprefix("$").removeprefix(".") or "the top of the file"


def _line_of(key: str, text: str) -> str:
    """``:12`` where the key stands on exactly one line, otherwise nothing rather than a guess."""
    pattern = re.compile(rf"(?:^|[{{,])\s*\"?{re.escape(key)}\"?\s*=")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    return f":{lines[0]}" if len(lines) == 1 else ""


def _fields_at(type_: object, path: str) -> list[str]:
    """Names of the fields that a struct has at a message's path."""
    node: Any = msgspec.inspect.type_info(type_)
    for step in _STEP.finditer(path.removeprefix("$")):
        if isinstance(node, msgspec.inspect.StructType):
            field = next((field for field in node.fields if field.encode_name == step["name"]), None)
            if field is None:
                return []
            node = field.type
        elif isinstance(node, msgspec.inspect.DictType):
            node = node.value_type
        else:
            node = getattr(node, "item_type", node)
        if isinstance(node, msgspec.inspect.UnionType):
            node = next((part for part in node.types if isinstance(part, msgspec.inspect.StructType)), node)
    return [field.encode_name for field in node.fields] if isinstance(node, msgspec.inspect.StructType) else []
