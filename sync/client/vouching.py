"""Speak for a bench whose PC died, to send what it had not sent: by the key of its heir, or by a code of IT.

An enrolled station is believed by its own key alone, and that key died with the PC. A PC that has taken over its name
sends with its own key. Where none has, IT makes a code for this very station (``station server enrol-code``, as for a
new PC): a key is made for this one errand, handed in with the code, and never written down. The old key counts no more
from then on; a PC that takes over later joins with a code of its own. A code for another station is refused by the
server before it is used up, so that nobody locks out a bench that lives.
"""

from __future__ import annotations

from pathlib import Path

from station.clock import Clock
from station.errors import InvalidInput, OperatorError, SyncFault
from station.journal.seal import KEY_BYTES, from_base64, to_base64
from sync.client.api import HttpApi
from sync.client.decide import Verdict
from sync.client.identity import Enrolment, Identity, load_identity, make_key
from sync.client.vault import Rung


def of_home(home: Path, station: str, clock: Clock) -> Identity | None:
    """The identity that this PC has for the station; None = it joined nowhere, or as another one."""
    if not (home / "enrolment.json").exists():
        return None
    identity = load_identity(home, clock)
    return identity if identity is not None and identity.station == station else None


def by_code(home: Path, url: str, station: str, code: str, clock: Clock) -> Identity:
    """Make a key for one errand, vouched for by a code of IT.

    Args:
        home: of this PC; nothing is written there.
        station: whose records are to be sent.

    Raises:
        OperatorError: the code is not good, or not for this station.
        SyncFault: the server cannot be reached.
    """
    key = make_key()
    api = HttpApi(url, token=None, clock=clock)
    try:
        outcome = api.enrol(code, to_base64(key.public), station)
    finally:
        api.close()
    answer = outcome.answer
    if answer is None:
        if outcome.verdict in (Verdict.DENIED, Verdict.REVOKED, Verdict.REFUSED, Verdict.TOO_OLD):
            raise OperatorError(f"{outcome.detail}; the code must be for station {station!r}")
        raise SyncFault(f"the server did not answer: {outcome.detail}")
    if answer.station != station:  # a server that does not know the question yet
        raise OperatorError(f"this code is for station {answer.station!r}, the records are of {station!r}; ask IT")
    try:
        from_base64(answer.server_key.public_key, KEY_BYTES)
    except InvalidInput as error:
        raise SyncFault(f"the server's key cannot be used: {error}") from error
    enrolment = Enrolment(
        station=station, site=answer.site, server=answer.server, url=url, key=key.id,
        server_key=answer.server_key.public_key, enrolled_at=answer.server_time,
    )  # fmt: skip
    return Identity(home, enrolment, key, Rung.FILE, clock)
