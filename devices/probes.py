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

_ORDER = rb"[EHIQVXZ][0-9]?+|&[A-Z][0-9]?+|S[0-9]{1,2}+=[0-9]{1,3}+|\+[A-Z]{2,10}+(?:\?|=[^\r\n +]{0,20}+)?"
"""One order behind AT; several stand in a row. Source: ITU-T V.250, 5.2 and 5.3 (basic and extended syntax).
Possessive where it counts: whatever a line sends, it is read about once."""
_PROBE = re.compile(rb"[\s~\x00]*+(?:AT(?: ?(?:" + _ORDER + rb")){0,12}|\x78\xf0)[\s~]*+", re.DOTALL)


def is_probe(raw: bytes) -> bool:
    """Whether these bytes are another program's question.

    >>> [is_probe(raw) for raw in (b"AT\\r", b"ATE0 V1\\r\\n", b"ATQ0 V1 S0=0 &C1 &D2 +FCLASS=0", b"~\\x00\\x78\\xf0~")]
    [True, True, True, True]

    What merely begins like one is a code or a weight:

    >>> [is_probe(raw) for raw in (b"ATLAS-4\\r", b"ATH-M50X", b"ATX-500\\r", b"   0.360 kg")]
    [False, False, False, False]
    """
    return _PROBE.fullmatch(raw) is not None
