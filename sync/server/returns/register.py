"""Returns that shops ask for: judged once, kept with what was answered, told to the benches when approved."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import Connection, Row, select, tuple_, update

from station.canonical import canonical_json
from station.errors import InvalidInput
from station.ids import uuid7
from station.quantities import Money
from station.returns.authorising import Answer, ReturnVerdict, authorise
from station.returns.keys import pair_key
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine
from station.returns.policy import Policy
from sync.protocol import (
    LineAnswer,
    MoneyBody,
    ReasonBody,
    ReturnAnswer,
    ReturnDecision,
    ReturnList,
    ReturnRequest,
    Topic,
)
from sync.server.applying import Applying
from sync.server.errors import ApiError
from sync.server.feed import Change, Feed
from sync.server.returns.books import rules
from sync.server.storage import Database
from sync.server.storage.rows_units import authorisations, return_requests
from sync.server.units import CENTRE

WITHDRAWN: Final = "withdrawn"
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Of our own RMA codes: nothing that a person takes for another."""
_NEW: Final = 10
"""Characters of our own RMA codes: 50 bits."""


class _Record(msgspec.Struct, frozen=True):
    """What is kept of a return."""

    asked: ReturnAuthorisation
    answer: ReturnAnswer


@dataclass(frozen=True, slots=True)
class Replied:
    """An answer, the first one or the same again."""

    status: int
    body: bytes


ReturnChanged: TypeAlias = Callable[[Applying, str, str], None]
"""Takes the transaction, merchant and RMA."""


class Returns:
    """Returns of all sites."""

    def __init__(self, database: Database, feed: Feed, changed: ReturnChanged | None = None) -> None:
        """
        Args:
            changed: told, in the same transaction, of a return that the benches hear of anew; None = nobody.
        """
        self._database = database
        self._feed = feed
        self._changed = changed

    def ask(self, site_id: str, asked: ReturnRequest, key: str, body: bytes, at: datetime) -> Replied:
        """Judge a return and keep it; the same key with the same body gets what it got the first time.

        Args:
            key: the idempotency key, of this merchant.
            body: the request as it came.

        Raises:
            ApiError: the merchant is not known, the key or the RMA is used for something else.
        """
        fingerprint = hashlib.sha256(body).hexdigest()
        merchant_id = asked.merchant_id
        claim = {
            "site_id": site_id, "merchant_id": merchant_id, "key": key, "fingerprint": fingerprint, "status": 0,
            "answer": "", "at": at,
        }  # fmt: skip
        here = (
            return_requests.c.site_id == site_id, return_requests.c.merchant_id == merchant_id,
            return_requests.c.key == key,
        )  # fmt: skip
        with self._database.writing() as connection:
            # The key is taken first: of two requests at once the second waits here for the first one's answer.
            claimed = self._database.insert_new(return_requests).returning(return_requests.c.key)
            if connection.execute(claimed, claim).one_or_none() is None:
                known = connection.execute(select(return_requests).where(*here)).one()
                if known.fingerprint != fingerprint:
                    raise ApiError(
                        422, "key_reused", f"the key {key!r} came before with another body",
                        "use a new Idempotency-Key for a new request",
                    )  # fmt: skip
                return Replied(known.status, known.answer.encode())
            answer = msgspec.json.encode(self._judge(connection, site_id, asked, at))
            connection.execute(update(return_requests).where(*here).values(status=201, answer=answer.decode()))
        return Replied(201, answer)

    def get(self, site_id: str, return_id: str, merchant: str | None = None) -> ReturnAnswer | None:
        """One return; None = there is none, or it is another merchant's."""
        with self._database.reading() as connection:
            row = connection.execute(select(authorisations).where(*_here(site_id, return_id))).one_or_none()
        if row is None or (merchant is not None and row.merchant_id != merchant):
            return None
        return _record(row).answer

    def list(
        self, site_id: str, state: str | None, after: str | None, limit: int, merchant: str | None = None
    ) -> ReturnList:
        """A page of returns, the oldest first; with a merchant only its own.

        Raises:
            InvalidInput: ``after`` is not from an earlier page.
        """
        query = select(authorisations).where(authorisations.c.site_id == site_id)
        if state is not None:
            query = query.where(authorisations.c.state == state)
        if merchant is not None:
            query = query.where(authorisations.c.merchant_id == merchant)
        with self._database.reading() as connection:
            if after is not None:
                last = connection.execute(select(authorisations).where(*_here(site_id, after))).one_or_none()
                if last is None or (merchant is not None and last.merchant_id != merchant):
                    raise InvalidInput(f"after={after[:80]!r}: expected what the page before gave")
                query = query.where(
                    tuple_(authorisations.c.received_at, authorisations.c.return_id)
                    > tuple_(last.received_at, last.return_id)
                )
            ordered = query.order_by(authorisations.c.received_at, authorisations.c.return_id).limit(limit + 1)
            rows = connection.execute(ordered).all()
        found = [_record(row).answer for row in rows[:limit]]
        return ReturnList(found, found[-1].return_id if len(rows) > limit else None)

    def decide(self, site_id: str, return_id: str, decision: ReturnDecision, actor: str, at: datetime) -> ReturnAnswer:
        """A person's word on a return: a manual one is approved or refused, an approved one is withdrawn.

        Raises:
            ApiError: 404; 409 if it is another one now, or there is nothing to decide.
        """
        with self._database.writing() as connection:
            taken = connection.execute(
                update(authorisations)
                .where(*_here(site_id, return_id), authorisations.c.version == decision.base_version)
                .values(version=authorisations.c.version + 1)
                .returning(authorisations)
            ).one_or_none()
            if taken is None:
                raise self._stale(connection, site_id, return_id, decision)
            record = _record(taken)
            state = _next_state(record.answer.state, approve=decision.approve)
            outcome = Answer.APPROVED if decision.approve else Answer.REFUSED
            lines = [
                msgspec.structs.replace(line, outcome=outcome.value) if line.outcome == Answer.MANUAL else line
                for line in record.answer.lines
            ]
            answer = msgspec.structs.replace(
                record.answer, state=state, version=taken.version, lines=lines, decided_at=at, decided_by=actor,
                reason=decision.reason.strip(),
            )  # fmt: skip
            connection.execute(
                update(authorisations)
                .where(*_here(site_id, return_id))
                .values(state=state, record=_text(_Record(record.asked, answer)))
            )
            self._tell(connection, site_id, record.asked, answer, at)
        return answer

    def _judge(self, connection: Connection, site_id: str, asked: ReturnRequest, at: datetime) -> ReturnAnswer:
        merchant = self._merchant(connection, site_id, asked.merchant_id)
        rma = asked.rma or f"RMA-{at.year}-{''.join(secrets.choice(_ALPHABET) for _ in range(_NEW))}"
        wanted = _authorisation(asked, rma, at)
        articles = self._articles(connection, site_id, wanted)
        policy = _policy(merchant)
        verdict = authorise(wanted, policy, articles.get, rules().reasons, merchant.currency, at)
        answer = _answer(wanted, verdict, policy, at)
        row = {
            "site_id": site_id, "return_id": answer.return_id, "merchant_id": merchant.id, "rma": rma,
            "state": answer.state, "version": 1, "record": _text(_Record(wanted, answer)), "received_at": at,
        }  # fmt: skip
        kept = self._database.insert_new(authorisations).returning(authorisations.c.return_id)
        if connection.execute(kept, row).one_or_none() is None:
            raise ApiError(
                409, "rma_taken", f"{merchant.id!r} has a return {rma!r} already",
                "ask for it by its id, or use another number",
            )  # fmt: skip
        self._tell(connection, site_id, wanted, answer, at)
        return answer

    def _tell(
        self, connection: Connection, site_id: str, asked: ReturnAuthorisation, answer: ReturnAnswer, at: datetime
    ) -> None:
        """Only what may come reaches a bench, and only the lines that may; anything else is taken away there."""
        coming = {line.line for line in answer.lines if line.outcome == Answer.APPROVED}
        body = None
        if answer.state == Answer.APPROVED and not answer.keep and coming:
            body = replace(asked, lines=tuple(line for line in asked.lines if line.line in coming))
        told = self._feed.put(
            connection, site_id, Topic.RETURNS, [Change(pair_key(asked.merchant_id, asked.id), body)], at
        )
        if told and self._changed is not None:
            self._changed(Applying(self._database, connection, site_id, CENTRE, at), asked.merchant_id, asked.id)

    def _merchant(self, connection: Connection, site_id: str, merchant_id: str) -> Merchant:
        found = self._feed.item(connection, site_id, Topic.MERCHANTS, [merchant_id])
        if merchant_id not in found:
            raise ApiError(
                422, "unknown_merchant", f"no merchant {merchant_id!r}", "PUT /v1/merchants/{id} makes one known"
            )
        return msgspec.json.decode(found[merchant_id], type=Merchant)

    def _articles(
        self, connection: Connection, site_id: str, wanted: ReturnAuthorisation
    ) -> Mapping[str, CatalogueItem]:
        keys = {pair_key(wanted.merchant_id, line.sku): line.sku for line in wanted.lines}
        found = self._feed.item(connection, site_id, Topic.CATALOGUE, list(keys))
        return {keys[key]: msgspec.json.decode(body, type=CatalogueItem) for key, body in found.items()}

    def _stale(self, connection: Connection, site_id: str, return_id: str, decision: ReturnDecision) -> ApiError:
        row = connection.execute(select(authorisations).where(*_here(site_id, return_id))).one_or_none()
        if row is None:
            return ApiError(404, "return", f"no return {return_id[:64]!r}", "check the id")
        return ApiError(
            409, "stale_version", f"the return is {row.state!r} at version {row.version}, not {decision.base_version}",
            "read it again and decide on what it is now",
        )  # fmt: skip


def _next_state(state: str, *, approve: bool) -> str:
    if state == Answer.MANUAL:
        return Answer.APPROVED.value if approve else Answer.REFUSED.value
    if state == Answer.APPROVED and not approve:
        return WITHDRAWN
    raise ApiError(
        409, "nothing_to_decide", f"a return that is {state!r} cannot be {'approved' if approve else 'refused'}",
        "only manual returns are decided; approved ones can be taken back",
    )  # fmt: skip


def _authorisation(asked: ReturnRequest, rma: str, at: datetime) -> ReturnAuthorisation:
    for name, moment in (("ordered_at", asked.ordered_at), ("delivered_at", asked.delivered_at)):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput(f"{name} {moment.isoformat()!r} has no time zone: expected e.g. 2026-11-23T09:00:00Z")
    lines = tuple(
        ReturnLine(
            number, line.sku, line.quantity, line.reason, line.comment, line.serial,
            Money(line.paid.minor, line.paid.currency) if line.paid is not None else None,
        )
        for number, line in enumerate(asked.lines, start=1)
    )  # fmt: skip
    return ReturnAuthorisation(
        id=rma, merchant_id=asked.merchant_id, order_id=asked.order_id, lines=lines, tracking=tuple(asked.tracking),
        ordered_at=asked.ordered_at, delivered_at=asked.delivered_at, authorised_at=at,
    )  # fmt: skip


def _policy(merchant: Merchant) -> Policy | None:
    try:
        return rules().policy(merchant.policy)
    except InvalidInput:
        return None


def _answer(wanted: ReturnAuthorisation, verdict: ReturnVerdict, policy: Policy | None, at: datetime) -> ReturnAnswer:
    lines = [
        LineAnswer(
            one.line.line, one.line.sku, one.line.quantity, one.answer.value,
            [ReasonBody(reason.code, reason.text) for reason in one.reasons],
        )
        for one in verdict.lines
    ]  # fmt: skip
    label = MoneyBody(verdict.label.minor, verdict.label.currency) if verdict.label is not None else None
    return ReturnAnswer(
        return_id=uuid7(), merchant_id=wanted.merchant_id, rma=wanted.id, state=verdict.answer.value, version=1,
        keep=verdict.keep, way_back=verdict.payer.value, label=label, lines=lines,
        policy=f"{policy.name}@{policy.version} {policy.sha256}" if policy is not None else "",
        received_at=at, decided_at=None if verdict.answer is Answer.MANUAL else at, decided_by=None, reason=None,
    )  # fmt: skip


def _here(site_id: str, return_id: str) -> Sequence[Any]:
    return authorisations.c.site_id == site_id, authorisations.c.return_id == return_id


def _record(row: Row[Any]) -> _Record:
    return msgspec.json.decode(row.record, type=_Record)


def _text(record: _Record) -> str:
    return canonical_json(record).decode()
