"""Who may ask what: one row for every route, looked at before its handler.

A route without a row does not exist: :func:`put_rights` refuses to build the application. The handlers still ask for
what only they know (whose journal, which role for this act); here is what holds for every request of a route:

* which *kinds* of caller it is for: benches, people, other programs;
* what somebody who is limited to one merchant gets of it (:class:`Reach`). Rows of other merchants are not there for
  such a person: the handler answers 404, as for something that never was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from station.errors import Defect
from sync.server.auth import Caller, CallerKind
from sync.server.errors import ApiError

KEY: Final = "rights"
"""Where a handler's rows are, by method, in its ``opt``."""


class Reach(StrEnum):
    """What a person who is limited to one merchant gets."""

    NOBODY = "nobody"
    """The route is for those who have no credential yet; nothing of the site is told."""
    SELF = "self"
    """About the caller alone."""
    MERCHANT = "merchant"
    """Only what is that merchant's: the handler passes ``caller.merchant`` on."""
    SITE = "site"
    """Nothing: it is about all merchants."""


@dataclass(frozen=True, slots=True)
class Right:
    """One row."""

    reach: Reach
    kinds: frozenset[CallerKind] = frozenset(CallerKind)


_STATION: Final = frozenset({CallerKind.STATION})
_ANYBODY: Final = Right(Reach.NOBODY)
_SITE: Final = Right(Reach.SITE)
_MERCHANT: Final = Right(Reach.MERCHANT)
_BENCH: Final = Right(Reach.SITE, _STATION)
_OWN: Final = Right(Reach.SELF)

RIGHTS: Final[dict[tuple[str, str], Right]] = {
    ("GET", "/v1/health"): _ANYBODY,
    ("GET", "/v1/health/live"): _ANYBODY,
    ("GET", "/v1/health/ready"): _ANYBODY,
    ("GET", "/v1/openapi.json"): _ANYBODY,
    ("GET", "/v1/metrics"): _SITE,
    ("GET", "/v1/hello"): _SITE,
    ("GET", "/v1/status"): _SITE,
    ("POST", "/v1/journal"): _BENCH,
    ("POST", "/v1/photos/missing"): _BENCH,
    ("PUT", "/v1/photos/{sha256}"): _BENCH,
    ("GET", "/v1/photos/{sha256}"): _MERCHANT,
    ("GET", "/v1/feed/{topic}"): _SITE,
    ("GET", "/v1/site-key"): _BENCH,
    ("POST", "/v1/enrol"): _ANYBODY,
    ("POST", "/v1/station/key"): _BENCH,
    ("GET", "/v1/stations"): _SITE,
    ("POST", "/v1/stations/{station}/codes"): _SITE,
    ("POST", "/v1/stations/{station}/revoke"): _SITE,
    ("POST", "/v1/stations/{station}/restore"): _SITE,
    ("POST", "/v1/returns"): _MERCHANT,
    ("GET", "/v1/returns"): _MERCHANT,
    ("GET", "/v1/returns/{return_id}"): _MERCHANT,
    ("POST", "/v1/returns/{return_id}/decision"): _MERCHANT,
    ("PUT", "/v1/merchants/{merchant_id}"): _MERCHANT,
    ("POST", "/v1/catalogue"): _MERCHANT,
    ("GET", "/v1/units"): _MERCHANT,
    ("GET", "/v1/units/{lpn}"): _MERCHANT,
    ("POST", "/v1/units/{lpn}/decision"): _MERCHANT,
    ("GET", "/v1/figures"): _MERCHANT,
    ("GET", "/v1/figures/{view}"): _MERCHANT,
    ("GET", "/v1/figures/{view}/units"): _MERCHANT,
    ("GET", "/v1/queue"): _MERCHANT,
    ("GET", "/v1/endpoints"): _SITE,
    ("POST", "/v1/endpoints"): _SITE,
    ("PATCH", "/v1/endpoints/{endpoint_id}"): _SITE,
    ("DELETE", "/v1/endpoints/{endpoint_id}"): _SITE,
    ("POST", "/v1/endpoints/{endpoint_id}/secret"): _SITE,
    ("GET", "/v1/endpoints/{endpoint_id}/deliveries"): _SITE,
    ("POST", "/v1/endpoints/{endpoint_id}/replay"): _SITE,
    ("GET", "/v1/downstream/alerts"): _SITE,
    ("GET", "/v1/erasures"): _SITE,
    ("POST", "/v1/erasures"): _SITE,
    ("PUT", "/v1/holds/{unit_id}"): _MERCHANT,
    ("DELETE", "/v1/holds/{unit_id}"): _MERCHANT,
    ("GET", "/v1/people"): _SITE,
    ("GET", "/v1/people/{person}"): _SITE,
    ("PUT", "/v1/people/{person}"): _SITE,
    ("PUT", "/v1/people/{person}/roles/{role}"): _SITE,
    ("DELETE", "/v1/people/{person}/roles/{role}"): _SITE,
    ("POST", "/v1/people/{person}/disable"): _SITE,
    ("POST", "/v1/people/{person}/enable"): _SITE,
    ("POST", "/v1/people/{person}/badge"): _SITE,
    ("PUT", "/v1/people/{person}/pin"): _SITE,
    ("PUT", "/v1/people/{person}/password"): _SITE,
    ("GET", "/v1/authority-flags"): _SITE,
    ("POST", "/v1/session"): _ANYBODY,
    ("GET", "/v1/session"): _OWN,
    ("POST", "/v1/session/renew"): _OWN,
    ("DELETE", "/v1/session"): _ANYBODY,
    ("DELETE", "/v1/sessions"): _OWN,
    ("PUT", "/v1/session/password"): _OWN,
    ("GET", "/v1/session/oidc"): _ANYBODY,
    ("GET", "/v1/session/oidc/callback"): _ANYBODY,
}


def put_rights(app: Litestar) -> None:
    """Give every handler its rows.

    Raises:
        Defect: a route has none.
    """
    for method, path, handler in served(app):
        if (method, path) not in RIGHTS:
            raise Defect(f"{method} {path} has no row in sync/server/rights.py: nobody said who may ask it")
        handler.opt.setdefault(KEY, {})[method] = RIGHTS[method, path]


def served(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every route: method, path as in ``RIGHTS``, handler."""
    for route in app.routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", str(route.path_format))
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in sorted(map(str, handler.http_methods)):
                    if method not in ("OPTIONS", "HEAD"):
                        yield method, path, handler


def check_rights(opt: dict[str, Any], method: str, caller: Caller) -> None:
    """Go on only where the row of this route lets this caller.

    Args:
        opt: of the handler.

    Raises:
        ApiError: 403; the text tells nothing of what is there.
    """
    right: Right | None = opt.get(KEY, {}).get("GET" if method == "HEAD" else method)
    if right is None:
        raise ApiError(403, "no_right", "nobody said who may ask this", "tell IT")
    if right.reach is Reach.NOBODY:
        return
    if caller.kind not in right.kinds:
        who = " or ".join(sorted(kind.value for kind in right.kinds))
        code = "not_a_station" if right.kinds == _STATION else "kind"
        raise ApiError(403, code, f"only a {who} may ask this", "use the program that is meant for it")
    if right.reach is Reach.SITE and caller.merchant is not None:
        raise ApiError(403, "other_merchants", "this is about all merchants", "ask for your own goods")
