"""The secret of the audit's draw: this bench's own, made once. No topic of the centre's feed carries one yet, so an
auditor repeats the draws of each bench with that bench's file.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from station.errors import StoreFault
from station.private_file import read_private, write_private
from station.review.draw import KEY_BYTES, DrawKey

KEY_FILE: Final = "audit.secret"


def own_key(home: Path) -> DrawKey:
    """The bench's key, from its file.

    Raises:
        StoreFault: the file cannot be read or written, or is no such secret.
    """
    path = home / KEY_FILE
    found = read_private(path)
    if found is None:
        write_private(path, secrets.token_bytes(KEY_BYTES), replace=False)
        found = read_private(path) or b""  # perhaps another process's, which was first
    if len(found) < KEY_BYTES:
        raise StoreFault(f"{str(path)!r} is no secret of {KEY_BYTES} bytes: move it away, a new one is made")
    return DrawKey(found)
