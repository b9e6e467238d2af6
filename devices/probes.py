"""What other programs send to a new serial port: echoed by some devices, and never a message of theirs.

Sources: ModemManager asks new ports with ``AT`` commands and a QCDM frame for some ten seconds (rusefi/rusefi issue
4359, gammu/wammu issue 27 with its log); brltty claims CH340 and CP210x adapters (arduino/arduino-ide issue 1788).
"""

from __future__ import annotations

import re

SETTLING_S = 2.0
"""After an opening: what was sent to the port before is still arriving, and frames begin in their middle."""
PROBING_S = 12.0
"""How long other programs ask a new port."""

_PROBE = re.compile(rb"[\s~\x00]*(?:AT(?:[EQVXZ&+IH].{0,30})?|\x78\xf0)[\s~]*", re.DOTALL)


def is_probe(raw: bytes) -> bool:
    """Whether these bytes are another program's question.

    >>> [is_probe(raw) for raw in (b"AT\\r", b"ATE0 V1\\r\\n", b"~\\x00\\x78\\xf0~", b"ATLAS-4\\r", b"   0.360 kg")]
    [True, True, True, False, False]
    """
    return _PROBE.fullmatch(raw) is not None
