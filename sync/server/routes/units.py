"""Units and decisions on them, for leads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from station.canonical import canonical_json
from station.decision.model import Derogation, Disposition, GateAct, GateActKind, Signature
from station.errors import InvalidInput
from station.journal.entry import Fact
from station.people.person import Role
from station.quantities import Money
from station.returns.decided import UNIT_DECIDED, UnitDecided
from sync.protocol import Code, DecisionConflict, DecisionRequest, ErrorBody, UnitAnswer, UnitList
from sync.server.auth import Caller
from sync.server.errors import ApiError
from sync.server.routes.bodies import read_json
from sync.server.routes.sessions import address_of
from sync.server.service import HttpRequest, Service
from sync.server.units import CENTRE
from sync.server.units.deciding import CannotDecide
from sync.server.units.reading import list_units, read_unit
from sync.server.units.rights import LEAD, require
from sync.server.units.state import State

_PAGE: Final = 200
_BODY: Final = 64 * 1024


def routes(service: Service) -> list[HTTPRouteHandler]:
    """Handlers of units."""

    @get("/v1/units")
    async def units(request: HttpRequest) -> UnitList:
        caller = service.caller(request)
        await service.read(require, service.database, caller, LEAD)
        state: str | None = request.query_params.get("state")
        if state is not None and state not in set(State):
            raise ApiError(400, "state", f"no state {state!r}", f"there are: {', '.join(State)}")
        limit: str = request.query_params.get("limit", str(_PAGE))
        if not limit.isdecimal() or not 1 <= int(limit) <= _PAGE:
            raise ApiError(400, "limit", f"limit={limit!r}", f"ask for 1 to {_PAGE} units")
        after: str = request.query_params.get("after", "")
        return await service.read(
            list_units, service.database, caller.site_id, state, after, int(limit), caller.merchant
        )

    @get("/v1/units/{lpn:str}")
    async def unit(request: HttpRequest) -> UnitAnswer:
        caller = service.caller(request)
        await service.read(require, service.database, caller, LEAD)
        return await service.read(_unit, service, caller, request.path_params["lpn"])

    @post("/v1/units/{lpn:str}/decision", status_code=200)
    async def decide(request: HttpRequest) -> Response[UnitAnswer] | Response[DecisionConflict]:
        caller = service.caller(request)
        actor = await service.read(require, service.database, caller, LEAD)
        asked = await read_json(request, DecisionRequest, _BODY)
        lpn: str = request.path_params["lpn"]
        signed = await _signed(request, service, caller, asked)
        fact = _fact(lpn, asked, service, signed)
        await service.read(_unit, service, caller, lpn)  # who may not see it learns nothing of it
        try:
            await service.write(service.journal.record, caller.site_id, CENTRE, fact, actor, service.clock.now())
        except CannotDecide as error:
            return await service.read(_refusal, service, caller, lpn, error)
        return Response(await service.read(_unit, service, caller, lpn), status_code=200)

    return [units, unit, decide]


def _unit(service: Service, caller: Caller, lpn: str) -> UnitAnswer:
    found = read_unit(service.database, caller.site_id, lpn, caller.merchant)
    if found is None:
        raise ApiError(404, "unit", f"nobody has inspected a unit {lpn!r}", "check the licence plate")
    return found


def _refusal(service: Service, caller: Caller, lpn: str, error: CannotDecide) -> Response[DecisionConflict]:
    current = read_unit(service.database, caller.site_id, lpn, caller.merchant)
    if current is None:
        raise ApiError(404, "unit", str(error), "check the licence plate")
    advice = "look at the unit as it is now and decide again"
    if error.code is Code.NOT_ALLOWED:
        advice = "choose a way that is open, or name the permission where the gate takes one: kind and second lead too"
    return Response(DecisionConflict(ErrorBody(error.code.value, str(error), advice), current), status_code=409)


async def _signed(
    request: HttpRequest, service: Service, caller: Caller, asked: DecisionRequest
) -> tuple[Signature, ...]:
    """Who stands behind permissions and acts on gates: who signed in, and who agreed with a password of their own.

    Raises:
        ApiError: 401, the second name and password do not go together; 429, too many tries.
    """
    if not (asked.derogations or asked.gate_acts) or caller.person is None:
        return ()
    first = Signature(caller.person, _roles(caller.roles))
    if asked.second is None:
        return (first,)
    people = service.people
    tried = await service.write(people.sign_in.begin, caller.site_id, asked.second.login, address_of(request))
    right = await people.hasher.verify_soon(tried.password, asked.second.password)
    person, roles = await service.write(people.sign_in.agreed, tried, right)
    return (first, Signature(person, _roles(roles)))


def _roles(names: Iterable[str]) -> tuple[Role, ...]:
    held = frozenset(names)
    return tuple(role for role in Role if role in held)


def _fact(lpn: str, asked: DecisionRequest, service: Service, signed: tuple[Signature, ...]) -> Fact:
    try:
        disposition = Disposition(asked.disposition)
    except ValueError as error:
        raise ApiError(
            400, "disposition", f"no disposition {asked.disposition!r}", f"there are: {', '.join(Disposition)}"
        ) from error
    if not asked.reason.strip():
        raise ApiError(400, "reason", "the reason is empty", "say why, in your own words")
    decided = UnitDecided(
        lpn=lpn, base_version=asked.base_version, disposition=disposition, inspection_id=asked.inspection_id,
        refund_decision=asked.refund_decision,
        refund=Money(asked.refund.minor, asked.refund.currency) if asked.refund is not None else None,
        reason=asked.reason.strip(), decided_at=service.clock.now(),
        derogations=tuple(Derogation(one.gate, one.reference, one.kind, signed) for one in asked.derogations),
        gate_acts=tuple(GateAct(GateActKind(one.kind), one.subject, signed=signed) for one in asked.gate_acts),
    )  # fmt: skip
    try:
        payload = canonical_json(decided)
    except (InvalidInput, msgspec.MsgspecError) as error:
        raise ApiError(400, "invalid", str(error), "use plain text") from error
    return Fact(UNIT_DECIDED, 1, payload)
