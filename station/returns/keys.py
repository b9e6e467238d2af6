"""How a thing of one merchant is named where only one text fits, such as the key of a feed item."""

from __future__ import annotations

import msgspec

from station.canonical import canonical_json
from station.errors import InvalidInput


def pair_key(merchant_id: str, name: str) -> str:
    """Name a return or an article of a merchant; no two pairs share a key, whatever their characters.

    >>> pair_key("acme", "RMA-2026-004711")
    '["acme","RMA-2026-004711"]'
    """
    return canonical_json([merchant_id, name]).decode()


def split_pair(key: str) -> tuple[str, str]:
    """Undo ``pair_key``.

    Raises:
        InvalidInput: not such a key.

    >>> split_pair('["acme","RMA-2026-004711"]')
    ('acme', 'RMA-2026-004711')
    """
    try:
        merchant_id, name = msgspec.json.decode(key, type=tuple[str, str])
    except msgspec.MsgspecError as error:
        raise InvalidInput(f'{key[:80]!r} is not a merchant with a name: expected e.g. \'["acme","RMA-1"]\'') from error
    return merchant_id, name
