"""Which photos are here: the rows beside the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, select

from sync.server.photos.ports import PhotoMissing, PhotoStore, checked_name
from sync.server.storage import Database
from sync.server.storage.rows import inspections, photo_names, photos
from sync.server.storage.rows_operations import erased_photos


class PhotoRegister:
    """The photos of all sites: a site sees those that it has a row for."""

    def __init__(self, database: Database, store: PhotoStore) -> None:
        self._database = database
        self.store = store

    def held(self, site_id: str, hashes: Iterable[str]) -> set[str]:
        """Those that have both a row and their bytes; and those that were erased, which nobody shall send again."""
        wanted = set(hashes)
        with self._database.reading() as connection:
            erased = set(
                connection.scalars(
                    select(erased_photos.c.sha256).where(
                        erased_photos.c.site_id == site_id, erased_photos.c.sha256.in_(wanted)
                    )
                )
            )
        return erased | self.store.held(self._known(site_id, wanted - erased))

    def note(self, site_id: str, sha256: str, size: int, at: datetime) -> None:
        """Write the row of a photo whose bytes are durable."""
        with self._database.writing() as connection:
            connection.execute(
                self._database.insert_new(photos),
                {"site_id": site_id, "sha256": sha256, "size": size, "received_at": at},
            )

    def check_merchant(self, site_id: str, sha256: str, merchant: str) -> None:
        """Go on only for a photo that an inspection of this merchant's goods names.

        Raises:
            PhotoMissing: as for one that is not there.
        """
        of_photo = photo_names.join(
            inspections,
            and_(
                inspections.c.site_id == photo_names.c.site_id,
                inspections.c.inspection_id == photo_names.c.inspection_id,
            ),
        )
        theirs = (
            photo_names.c.site_id == site_id, photo_names.c.sha256 == checked_name(sha256),
            inspections.c.merchant_id == merchant,
        )  # fmt: skip
        with self._database.reading() as connection:
            if connection.execute(select(photo_names.c.sha256).select_from(of_photo).where(*theirs)).first() is None:
                raise PhotoMissing(f"there is no photo {sha256} here")

    def read(self, site_id: str, sha256: str) -> bytes:
        """A photo of this site, checked against its name.

        Raises:
            PhotoMissing: this site has none of this name, or it is gone.
            StoreFault: the store failed.
        """
        if not self._known(site_id, {checked_name(sha256)}):
            raise PhotoMissing(f"there is no photo {sha256} here")
        return self.store.read(sha256)

    def _known(self, site_id: str, wanted: set[str]) -> set[str]:
        with self._database.reading() as connection:
            return set(
                connection.scalars(
                    select(photos.c.sha256).where(photos.c.site_id == site_id, photos.c.sha256.in_(wanted))
                )
            )
