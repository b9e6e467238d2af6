"""Merchants and catalogues as shops upload them; they flow to the benches by the feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from station.errors import InvalidInput
from station.returns.keys import pair_key
from station.returns.model import CatalogueItem, Merchant
from sync.protocol import Topic, Uploaded
from sync.server.errors import ApiError
from sync.server.feed import Change, Feed
from sync.server.returns.books import rules
from sync.server.storage import Database


class Masters:
    """Merchants and articles of all sites."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self._database = database
        self._feed = feed

    def put_merchant(self, site_id: str, merchant: Merchant, at: datetime) -> Uploaded:
        """Add or replace a merchant.

        Raises:
            ApiError: 422, a policy or scheme that nobody knows: no return of it could be judged.
        """
        try:
            rules().policy(merchant.policy)
            rules().scheme(merchant.grading_scheme)
        except InvalidInput as error:
            raise ApiError(422, "unknown_rules", str(error), "name one that is installed here") from error
        with self._database.writing() as connection:
            changed = self._feed.put(connection, site_id, Topic.MERCHANTS, [Change(merchant.id, merchant)], at)
        return Uploaded(changed, 1 - changed)

    def put_articles(self, site_id: str, items: Sequence[CatalogueItem], at: datetime) -> Uploaded:
        """Add or replace articles, all or none.

        Raises:
            ApiError: 422, an article of a merchant that is not known.
        """
        owners = sorted({item.merchant_id for item in items})
        wanted = {pair_key(item.merchant_id, item.sku): item for item in items}
        with self._database.writing() as connection:
            known = self._feed.item(connection, site_id, Topic.MERCHANTS, owners)
            missing = [owner for owner in owners if owner not in known]
            if missing:
                raise ApiError(
                    422, "unknown_merchant", f"no merchant {missing[0]!r}", "PUT /v1/merchants/{id} makes one known"
                )
            changes = (Change(key, item) for key, item in wanted.items())
            changed = self._feed.put(connection, site_id, Topic.CATALOGUE, changes, at)
        return Uploaded(changed, len(wanted) - changed)
