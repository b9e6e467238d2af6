"""One byte sequence for one value: the JSON that is hashed, signed and kept.

Keys sorted by code point, no white space, UTF-8, integers only. Floats are refused because money and mass are
integers here and because two programs print the same float differently; NUL, lone surrogates and integers beyond 64 bit
signed are refused because PostgreSQL cannot store them although SQLite can (SYNC.md R4).
Source: the shape of RFC 8785 (JSON Canonicalization Scheme), without its number rules.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from station.errors import InvalidInput

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_MAX_DEPTH = 64


def canonical_json(value: object) -> bytes:
    """Encode a value made of JSON types, dataclasses, enums and aware datetimes.

    Args:
        value: anything ``msgspec.to_builtins`` understands; no floats.

    Returns:
        The canonical UTF-8 bytes.

    Raises:
        InvalidInput: a float, NUL, lone surrogate, integer beyond 64 bit, or nesting deeper than 64.

    >>> canonical_json({"b": 1, "a": [True, None, "é"]})
    b'{"a":[true,null,"\\xc3\\xa9"],"b":1}'
    """
    plain = msgspec.to_builtins(value, str_keys=True)
    check_portable(plain)
    return msgspec.json.encode(plain, order="sorted")


def check_portable(value: object, *, _depth: int = 0) -> None:
    """Refuse what one of our databases could not store.

    Raises:
        InvalidInput: names the offending value.
    """
    if _depth > _MAX_DEPTH:
        raise InvalidInput(f"nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidInput(f"text contains NUL: {value[:80]!r}")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidInput(f"text is not valid Unicode: {value[:80]!r}") from error
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if not _INT64_MIN <= value <= _INT64_MAX:
            raise InvalidInput(f"integer {value!r} does not fit into 64 bits")
    elif isinstance(value, float):
        raise InvalidInput(f"floating point number {value!r}: money and mass are integers, other figures are text")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_portable(key, _depth=_depth + 1)
            check_portable(item, _depth=_depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_portable(item, _depth=_depth + 1)
    else:
        raise InvalidInput(f"cannot be written as JSON: {type(value).__name__} {value!r}")
