"""How simulated scales talk: one file per protocol, written from the maker's tables and not from our parsers.

To add one: a class with ``hear`` and ``speak`` over a ``Platform``, and one row in ``VOICES``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from devices.simulators.platform import Platform
from devices.simulators.voices.cas import CasVoice
from devices.simulators.voices.hid import HidVoice
from devices.simulators.voices.mt_sics import MtSicsVoice
from devices.simulators.voices.nci import NciVoice
from devices.simulators.voices.ohaus import OhausVoice
from devices.simulators.voices.sma import SmaVoice
from devices.simulators.voices.st_gs import AndVoice
from devices.simulators.voices.toledo_8217 import Toledo8217Voice
from devices.simulators.voices.toledo_continuous import ToledoContinuousVoice
from devices.simulators.voices.yaohua import YaohuaVoice

__all__ = ["VOICES", "Voice"]


class Voice(Protocol):
    """How a scale talks."""

    def hear(self, data: bytes, now: float) -> None: ...

    def speak(self, now: float) -> bytes: ...


VOICES: dict[str, Callable[[Platform], Voice]] = {
    "mt_sics": MtSicsVoice,
    "toledo_continuous": ToledoContinuousVoice,
    "toledo_8217": Toledo8217Voice,
    "sma": SmaVoice,
    "nci": NciVoice,
    "print_string": OhausVoice,
    "st_gs": AndVoice,
    "cas": CasVoice,
    "yaohua": YaohuaVoice,
    "hid": HidVoice,
}
"""Driver name → how such a scale talks."""
