"""What a doctor asks of the bench's side of the sync: who it is, whether the server lets it in, clocks, what waits.

Each function is one look; none changes anything, and none raises: what cannot be looked at is a finding, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from station.clock import Clock
from station.errors import StationError
from station.health import Finding, Health
from station.store.outbox import Unsent
from sync.client.api import SyncApi
from sync.client.decide import Verdict
from sync.client.identity import Identity, load_identity
from sync.client.vault import Rung, Vault
from sync.protocol import SKEW_SECONDS

_LONG: Final = timedelta(hours=1)
"""Something unsent for longer is worth a look."""
_TOO_LONG: Final = timedelta(days=1)


def identity_finding(home: Path, clock: Clock, vault: Vault | None = None) -> tuple[Finding, Identity | None]:
    """Whether this bench joined a server, and where its key lies."""
    try:
        identity = load_identity(home, clock, vault)
    except StationError as error:
        return Finding("identity", Health.FAIL, str(error), "ask IT for a code, then 'station enrol CODE'"), None
    if identity is None:
        text = "this bench has not joined a server: it works alone, or with a shared secret"
        return Finding("identity", Health.OK, text), None
    text = f"{identity.station} of site {identity.enrolment.site}; its key lies {identity.rung.text}"
    if identity.rung is Rung.FILE:
        fix = "fine on a machine without a desktop; elsewhere start the system's key store and enrol again"
        return Finding("identity", Health.WARN, text, fix), identity
    return Finding("identity", Health.OK, text), identity


def server_findings(api: SyncApi, station: str, clock: Clock, identity: Identity | None = None) -> tuple[Finding, ...]:
    """Whether the server answers and lets this bench in, and how far the two clocks are apart."""
    outcome = api.hello(station)
    if outcome.answer is None:
        status = Health.FAIL if outcome.verdict in (Verdict.DENIED, Verdict.REVOKED, Verdict.TOO_OLD) else Health.WARN
        return (Finding("server", status, outcome.detail, _FIXES.get(outcome.verdict, _FIXES[Verdict.UNREACHABLE])),)
    server = Finding("server", Health.OK, "the server answers and lets this bench in")
    try:
        off_by = datetime.fromisoformat(outcome.answer.server_time) - clock.now()
    except (ValueError, TypeError):
        return (server,)
    return server, clock_finding(off_by, enrolled=identity is not None)


def clock_finding(off_by: timedelta, *, enrolled: bool) -> Finding:
    """How far this machine's clock is behind the server's (negative: ahead)."""
    seconds = round(off_by.total_seconds())
    if abs(seconds) <= SKEW_SECONDS:
        return Finding("clock", Health.OK, f"within {max(1, abs(seconds))} s of the server's")
    side = "behind" if seconds > 0 else "ahead of"
    works = "; sending works all the same" if enrolled else ""
    text = f"this machine's clock is {_length(abs(off_by))} {side} the server's{works}"
    return Finding("clock", Health.WARN, text, "set it, and let the system keep it (NTP); records carry its time")


def backlog_finding(unsent: Unsent, now: datetime) -> Finding:
    """What waits to be sent, and since when."""
    aside = f"; {unsent.quarantined} set aside at the server, a lead looks at them" if unsent.quarantined else ""
    if not unsent.entries and not unsent.photos:
        return Finding("backlog", Health.WARN if aside else Health.OK, f"everything was sent{aside}")
    age = now - unsent.since if unsent.since is not None else timedelta()
    since = f", the oldest for {_length(age)}" if age >= timedelta(minutes=1) else ""
    text = f"{unsent.entries} records and {unsent.photos} photos wait{since}{aside}"
    if age >= _TOO_LONG:
        return Finding(
            "backlog", Health.WARN, text,
            "check the network and the server; if this PC must go, 'station backup --unsent --out FILE' saves them",
        )  # fmt: skip
    if age >= _LONG or aside:
        return Finding("backlog", Health.WARN, text, "check the network and the server; nothing is lost meanwhile")
    return Finding("backlog", Health.OK, text)


_FIXES: Final = {
    Verdict.UNREACHABLE: "check the network cable and the server's address; work goes on meanwhile",
    Verdict.DENIED: "ask IT for a code, then 'station enrol CODE'",
    Verdict.REVOKED: "ask IT to let this bench in again; everything recorded is kept here until then",
    Verdict.TOO_OLD: "ask IT to bring this program and the server to versions that fit",
    Verdict.BUSY: "wait; if it stays so, IT looks at the server",
    Verdict.SERVER_ERROR: "IT looks at the server's log",
    Verdict.NOT_OURS: "check the server's address and whether this network asks for a log-in",
}


def _length(span: timedelta) -> str:
    """One unit, for people.

    >>> [_length(timedelta(seconds=s)) for s in (59, 121, 7300, 200_000)]
    ['59 s', '2 min', '2 h', '2 days']
    """
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and (unit != "days" or seconds >= 2 * size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
