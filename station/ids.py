"""UUIDv7 (RFC 9562 §5.7): time-ordered identities made at the bench. For dedupe and index locality, never for order."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def uuid7() -> str:
    """Make a UUIDv7 as its 36-character text, strictly increasing inside this process even if the clock steps back."""
    global _last_ms, _counter
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _counter = now_ms, int.from_bytes(os.urandom(2)) & 0x7FF
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        stamp, sequence = _last_ms, _counter
    random_bits = int.from_bytes(os.urandom(8)) & (2**62 - 1)
    value = (stamp & (2**48 - 1)) << 80 | 0x7 << 76 | sequence << 64 | 0b10 << 62 | random_bits
    return str(uuid.UUID(int=value))
