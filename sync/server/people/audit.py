"""The security log: who came in, who did not, who may what from now on.

One record per event on the logger ``sync.server.security``, with fields and no secret: never a password, PIN, badge,
token, nor what somebody typed as a name (people type passwords there). IT sends this logger to a place of its own.
Source: OWASP ASVS 5.0, 16.2.1, 16.2.5, 16.3.1–16.3.4.
"""

from __future__ import annotations

import logging
from enum import StrEnum

logger = logging.getLogger("sync.server.security")


class Event(StrEnum):
    """What is written down."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    AGREED = "agreed"
    """Somebody proved with a password that they agree to what somebody else does."""
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_SET = "password_set"
    PIN_SET = "pin_set"
    BADGE_ISSUED = "badge_issued"
    PERSON_CHANGED = "person_changed"
    PERSON_DISABLED = "person_disabled"
    PERSON_ENABLED = "person_enabled"
    ROLE_GIVEN = "role_given"
    ROLE_ENDED = "role_ended"
    OVERRIDE = "override"
    """Somebody chose another route for a unit than the one proposed."""
    UNAUTHORISED_ACT = "unauthorised_act"
    FORGED_REQUEST = "forged_request"


_FAILURES = frozenset({Event.SIGN_IN_REFUSED, Event.UNAUTHORISED_ACT, Event.FORGED_REQUEST})


def note(event: Event, site_id: str, *, person: str | None = None, by: str | None = None, **fields: str | int) -> None:
    """Write one event.

    Args:
        person: whom it is about; None = nobody that is known.
        by: who did it, where that is somebody else.
        fields: codes, addresses, role names.
    """
    extra: dict[str, object] = {"event": event.value, "site": site_id, "person": person, "by": by, **fields}
    outcome = "refused" if event in _FAILURES else "done"
    logger.info("security: %s", event.value, extra={**extra, "outcome": outcome})
