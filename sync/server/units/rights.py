"""Who may decide at the centre, and who may bring returns."""

from __future__ import annotations

from typing import Final

from sqlalchemy import exists, select

from sync.server.auth import Caller, CallerKind
from sync.server.storage import Database
from sync.server.storage.rows_people import people

LEAD: Final = "lead"


def require(database: Database, caller: Caller, *roles: str) -> str:
    """Go on only with one of these roles; the shared token counts for as long as the site has no people.

    Returns:
        The name that goes into the record.

    Raises:
        ApiError: 403.
    """
    if caller.kind is CallerKind.STATION and caller.station is None and not caller.is_proven:
        with database.reading() as connection:
            anybody = connection.scalar(select(exists().where(people.c.site_id == caller.site_id)))
        if not anybody:
            return "shared token"
    caller.require_role(*roles)
    return caller.person or caller.kind.value
