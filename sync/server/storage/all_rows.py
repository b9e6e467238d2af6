"""Every table of the central database: importing this fills ``rows.metadata``."""

from sync.server.storage import (  # noqa: F401
    rows_access,
    rows_downstream,
    rows_figures,
    rows_operations,
    rows_people,
    rows_units,
)
from sync.server.storage.rows import metadata

__all__ = ["metadata"]
