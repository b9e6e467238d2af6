"""Who is told of what happens, and what became of each message: for administrators.

================================================  ==================================================================
``GET    /v1/endpoints``                          :class:`EndpointList`, with every type of event
``POST   /v1/endpoints``                          :class:`NewEndpoint` → :class:`EndpointSecret`
``PATCH  /v1/endpoints/{id}``                     :class:`EndpointChange` → :class:`Endpoint`
``DELETE /v1/endpoints/{id}``                     with all that waits for it
``POST   /v1/endpoints/{id}/secret``              → :class:`EndpointSecret`; the old secret counts for a day more
``GET    /v1/endpoints/{id}/deliveries?state=``   :class:`DeliveryList`, the newest first
``POST   /v1/endpoints/{id}/replay``              :class:`Replay` → :class:`Replayed`
``GET    /v1/downstream/alerts``                  :class:`AlertList`, the newest first
================================================  ==================================================================
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2000)]
Described = Annotated[str, msgspec.Meta(pattern="^[^\\x00]*$", max_length=200)]
EventId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_:-]+$", max_length=80)]


class NewEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who wants to be told."""

    url: Url
    """https://…; http only for hosts that IT has listed."""
    types: Annotated[list[str], msgspec.Meta(max_length=32)] = []
    """Types of events; empty = all, also those that come to exist later."""
    description: Described = ""


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. ``active: true`` begins again with what waited."""

    url: Url | None = None
    types: Annotated[list[str], msgspec.Meta(max_length=32)] | None = None
    description: Described | None = None
    active: bool | None = None


class Endpoint(msgspec.Struct, frozen=True):
    endpoint_id: str
    url: str
    types: list[str]
    description: str
    active: bool
    disabled_reason: str | None
    failures: int
    """In a row."""
    last_success: datetime | None
    pending: int
    created_at: datetime


class EndpointSecret(msgspec.Struct, frozen=True):
    endpoint: Endpoint
    secret: str
    """``whsec_…``; it is told this once."""


class EndpointList(msgspec.Struct, frozen=True):
    endpoints: list[Endpoint]
    types: dict[str, str]
    """Every type of event and what it says."""


class DeliveryState(msgspec.Struct, frozen=True):
    event_id: str
    type: str
    unit: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    created_at: datetime
    next_at: datetime | None
    settled_at: datetime | None


class DeliveryList(msgspec.Struct, frozen=True):
    deliveries: list[DeliveryState]


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Send again: these events, or all of what was received since a moment. The ids stay the same."""

    events: Annotated[list[EventId], msgspec.Meta(max_length=1000)] = []
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Replayed(msgspec.Struct, frozen=True):
    again: int
    """Deliveries that were settled and wait again."""
    new: int
    """Deliveries that were not there: the endpoint was switched off then, or is younger."""


class Alert(msgspec.Struct, frozen=True):
    alert_id: str
    endpoint_id: str
    event_id: str | None
    text: str
    at: datetime


class AlertList(msgspec.Struct, frozen=True):
    alerts: list[Alert]
