"""``devices.toml`` in the home folder: which device has which role, written by ``station devices pair``.

The same tables as ``station.toml``, below it: what a person wrote wins, key by key. A file of its own, so that the one
that people write, with their comments, is never written by a program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from station.errors import InvalidInput
from station.toml_file import TomlFile, parse_toml, read_toml

FILE_NAME = "devices.toml"
ROLES = ("scanner", "scanner_2", "scale", "camera", "camera_2", "printer")
PORT_KEY = {"camera": "source", "camera_2": "source", "printer": "address"}
"""The key that names the device, where it is not ``port``."""

Setting = str | int | bool
_HEAD = (
    "# Written by 'station devices pair'; changes made here by hand are kept until the device is paired again.\n"
    "# What station.toml says wins over this file, key by key.\n"
)


def read_paired(home: Path) -> TomlFile:
    """The file as it is; a missing one is empty.

    Raises:
        InvalidInput: not readable, not TOML.
    """
    path = home / FILE_NAME
    return read_toml(path) if path.exists() else parse_toml("", str(path))


def pair(home: Path, role: str, settings: Mapping[str, Setting]) -> None:
    """Give a role its device: its whole table is replaced, atomically and durably.

    Raises:
        InvalidInput: no such role, or the existing file is not TOML.
        OSError: the folder cannot be written.
    """
    if role not in ROLES:
        raise InvalidInput(f"{role!r} is no role of a device: expected one of {', '.join(ROLES)}")
    tables = {**read_paired(home).table, role: dict(settings)}
    _write(home, tables)


def forget(home: Path, role: str) -> bool:
    """Take a role's device away; False = it had none.

    Raises:
        InvalidInput: the existing file is not TOML.
        OSError: the folder cannot be written.
    """
    tables = dict(read_paired(home).table)
    if role not in tables:
        return False
    del tables[role]
    _write(home, tables)
    return True


def layered(low: Mapping[str, object], high: Mapping[str, object]) -> dict[str, object]:
    """One table over another, key by key.

    >>> layered({"scale": {"port": "a", "baud": 4800}}, {"scale": {"port": "b"}, "sync": {}})
    {'scale': {'port': 'b', 'baud': 4800}, 'sync': {}}
    """
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = layered(below, value) if both else value  # type: ignore[arg-type]
    return result


def _write(home: Path, tables: Mapping[str, object]) -> None:
    from station.store.durable import (
        make_folder,
        write_durably,
    )  # the store is heavy, and every start reads this module

    make_folder(home)
    parts = [_HEAD]
    for name, table in tables.items():
        lines = [f"{_key(key)} = {_value(name, key, value)}\n" for key, value in _items(name, table)]
        parts.append(f"\n[{_key(name)}]\n{''.join(lines)}")
    write_durably(home / FILE_NAME, "".join(parts).encode())


def _items(name: str, table: object) -> list[tuple[str, object]]:
    if not isinstance(table, Mapping):
        raise InvalidInput(f"{FILE_NAME}: {name!r} is not a table: remove it")
    return list(table.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _value(name: str, key: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # a JSON string is a TOML one, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    kind = type(value).__name__
    raise InvalidInput(f"{FILE_NAME}: [{name}] {key} is a {kind}, expected text, a number or true/false")
