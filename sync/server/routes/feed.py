"""The feed as benches ask for it."""

from __future__ import annotations

from litestar import get
from litestar.handlers import HTTPRouteHandler

from sync.protocol import FeedPage, Topic
from sync.server.errors import ApiError
from sync.server.feed import PAGE, MustRefetch
from sync.server.service import HttpRequest, Service


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of the feed."""

    @get("/v1/feed/{topic:str}")
    async def page(request: HttpRequest) -> FeedPage:
        caller = service.caller(request)
        topic = _topic(request.path_params["topic"])
        if topic is Topic.PEOPLE:
            caller.require_station()  # verifiers of PINs are for benches alone
        cursor: str | None = request.query_params.get("after")
        limit: str = request.query_params.get("limit", str(PAGE))
        if not limit.isdecimal() or not 1 <= int(limit) <= PAGE:
            raise ApiError(400, "limit", f"limit={limit!r}", f"ask for 1 to {PAGE} items")
        try:
            found = await service.read(service.feed.page, caller.site_id, topic, cursor, int(limit))
            service.metrics.metrics.count("station_feed_items_total", len(found.items))
            return found
        except MustRefetch as error:
            raise ApiError(410, "must_refetch", str(error), "begin without a cursor") from error

    return [page]


def _topic(text: str) -> Topic:
    try:
        return Topic(text)
    except ValueError as error:
        raise ApiError(404, "topic", f"no topic {text!r}", f"there are: {', '.join(Topic)}") from error
