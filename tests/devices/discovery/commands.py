"""What changes something at a scale or at what hangs on it, as each protocol's receiver would find it in a stream.

From the makers' command tables (DEVICES §1.2-1.9, §2.3): zero, tare, print, clear, change unit or mode, switch off,
start or stop streaming, self-tests and echo modes. Requests for a weight are not in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Receiver = Callable[[bytes], Iterable[bytes]]


def lines(stream: bytes) -> Iterable[bytes]:
    """Commands end with CR, LF or both."""
    return [part for part in re.split(rb"[\r\n]+", stream) if part]


def single_bytes(stream: bytes) -> Iterable[bytes]:
    """Each byte is a command."""
    return [bytes([byte]) for byte in stream]


def between_lf_and_cr(stream: bytes) -> Iterable[bytes]:
    """SMA: LF, command, CR."""
    return re.findall(rb"\n([^\r\n]+)(?=\r)", stream)


def after_escape(stream: bytes) -> Iterable[bytes]:
    """Sartorius SBI: ESC and a letter."""
    return re.findall(rb"\x1b.", stream, re.DOTALL)


@dataclass(frozen=True)
class Protocol:
    name: str
    receiver: Receiver
    dangerous: frozenset[bytes]
    eight_bits: bool = False
    """Only ever set to 8N1, and looks at all eight bits."""

    def obeys(self, stream: bytes) -> set[bytes]:
        """The dangerous commands in a stream, wherever in it the device begins to listen."""
        return {
            command
            for start in range(len(stream))
            for command in self.receiver(stream[start:])
            if command in self.dangerous
        }


def _words(text: str) -> frozenset[bytes]:
    return frozenset(word.encode() for word in text.split())


PROTOCOLS = (
    Protocol(
        "MT-SICS", lines, _words("Z ZI T TI TA TAC @ C CA SIR SR SNR K KMAX D DW P PW PRN M01 M02 M03 UPD FSET C0 C1")
    ),
    Protocol("Mettler 8217", single_bytes, _words("Z T C A B E")),
    Protocol("Toledo Continuous", single_bytes, _words("P T Z C")),
    Protocol("Toledo Continuous, Kern", lines, _words("P T Z C")),
    Protocol("NCI and ECR", lines, _words("Z T U M L C P K")),
    Protocol("SMA", between_lf_and_cr, _words("Z T C P R S X D Q H A B I N M")),
    Protocol("A&D", lines, _words("Z R T C P U ON OFF PRT CAL EXC SIR SMP MZ MT PT: TR")),
    Protocol("CAS indicators and Dini Argeo", lines, _words("Z T P H K G TARE ZERO PRNT CLEAR C CGCHNG")),
    Protocol("Kern", lines, _words("t z p T Z P s")),
    Protocol("Kern, single letters", single_bytes, _words("t z T Z p P"), eight_bits=True),
    Protocol("Ohaus", lines, _words("P IP SP CP 0P 0A SA CA Z T PSI POH ON OFF U PU C PV 0S 1S")),
    Protocol("Sartorius SBI", after_escape, frozenset(b"\x1b" + bytes([letter]) for letter in b"PTUVSKLMNORWXZfkst")),
    Protocol("Rice Lake", lines, _words("KZERO KTARE KPRINT KGROSSNET KUNITS KCLR P Z T G N S U")),
    Protocol("Adam", lines, _words("P T Z R")),
    Protocol("CAS handshake", single_bytes, frozenset({b"\x12", b"T", b"Z"})),
    Protocol("Yaohua A12", single_bytes, _words("T Z P C")),
    Protocol("Datalogic scanner", single_bytes, frozenset({b"D", b"R", b"B", b"E", b"F", b"\x01", b"\x07"})),
    Protocol(
        "Honeywell scanner", lambda stream: re.findall(rb"\x16.", stream), frozenset({b"\x16T", b"\x16U", b"\x16M"})
    ),
    Protocol("Zebra printer", single_bytes, frozenset({b"^", b"~"})),
)
