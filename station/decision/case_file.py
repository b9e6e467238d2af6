"""An inspection given as JSON → a :class:`~station.decision.model.Case`. Strict, and it says what was allowed.

The shape is :data:`EXAMPLE`, which the tests decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from station.decision.case_gates import GATE_KEYS, read_acts, read_dates, read_derogations
from station.decision.case_order import ORDER_KEYS, read_customs, read_floor, read_order
from station.decision.json_table import Table, currency_of, kind_of, milligrams_of, parse_json, word_of
from station.decision.model import Case, Disposition, Override, Reason
from station.decision.rules import Rules
from station.errors import InvalidInput
from station.inspection.entry import read_entry
from station.inspection.facts import (
    Answer,
    IdentityOutcome,
    Skipped,
    StableSource,
    WeightJudgement,
    WeightReading,
    WeightVerdict,
)
from station.inspection.plausibility import WEIGHT_CHECK, judge_weight, weight_question
from station.inspection.protocol import Protocol
from station.returns.model import CatalogueItem, Merchant, ReturnAuthorisation, ReturnLine, Trait, Wish
from station.toml_file import did_you_mean

EXAMPLE = """\
{"merchant": {"id": "nl", "name": "Nordlicht Audio", "policy": "small_brand",
              "grading_scheme": "standard", "currency": "EUR"},
 "item": {"sku": "HD7", "title": "Halden ANC", "category": "electronics.audio",
          "traits": ["lithium", "hygiene"], "price": "129.00", "mass_g": 288,
          "mass_tolerance_g": 6, "accessories": {"charging case": 42}},
 "return": {"rma": "RMA-2026-004711", "reason": "defective", "paid": "129.00",
            "serial": "HD7-22941", "ordered_at": "2026-11-08",
            "delivered_at": "2026-11-10", "authorised_at": "2026-11-20", "wish": "refund"},
 "order": {"lines": [{"sku": "HD7", "quantity": 1, "unit": "139.00", "tax_bp": 1900},
                     {"sku": "CASE", "quantity": 2, "unit": "19.50", "returned": 1}],
           "discount": "10.00", "promotion": {"off": "5.00", "at_least": "150.00"},
           "shipping": "4.90", "shipping_refunded": "0", "refunded": "18.00",
           "credited": "18.00"},
 "customs": {"from": "DE", "to": "CH", "entry": "26CH0077", "commodity": "8518.3000"},
 "floor": {"taken": {"refurbish": 12}, "places": {"refurbish": "1.50"},
           "extra": {"liquidate": "0.80"}},
 "at": "2026-11-22T10:17:00Z", "identity": "match", "serial_found": "HD7-22941",
 "answers": {"power": "no_charge", "seal": "broken", "look": "light_wear"},
 "weight_g": 286, "scale_interval_g": 1,
 "skipped": {"photo:label": "camera gone"},
 "flags": ["Inspector asks for a second look"],
 "derogations": {"destruction_ban": {"kind": "beyond_repair", "reference": "D-17",
                                     "signed_by": {"ana": "lead", "bo": "lead"}}},
 "gate_acts": [{"kind": "proof", "subject": "data_bearing", "reference": "WIPE-0815",
                "signed_by": {"cem": "inspector"}}],
 "good_until": "2028-03-31", "made": "2026-02-01", "lot": "L-0410", "market": "DE",
 "override": {"disposition": "recycle", "reason": "no spare parts left"}}
"""
"""A document with every key."""

NOTES = """\
Only "item" and one of "merchant" or "policy" are needed. Money is "129.00" in the document's currency, "129.00 EUR" or
{"minor": 12900, "currency": "EUR"}. Times are ISO 8601 with a zone, or a plain date (UTC). Instead of "merchant":
"policy", "grading_scheme" and "currency" at the top. Instead of "answers": "shortcut", a command code. Instead of
"weight_g": "judgement", a verdict or {"verdict", "difference_g", "missing_part"}. "protocol" ("electronics.audio" or
"electronics.audio@1") replaces the one that the category gives.
Instead of what was paid for the line: "order", with the units that came back before this one; "rate" [a, b] says
that a minor units of the merchant's currency were booked for b of the order's. "floor" says what is taken, what a place
on a scarce way costs and what this very unit costs beyond the route book.
"gate_acts" are "proof" (subject: a gate), "recall_confirmed" or "recall_denied" (subject: the notice) and "settled"
(subject: a gate). "good_until" may be "unreadable".
"""
_TOP = (
    "merchant", "policy", "grading_scheme", "currency", "item", "return", "at", "identity", "serial_found", "protocol",
    "answers", "shortcut", "weight_g", "scale_interval_g", "judgement", "skipped", "flags", "override",
    *GATE_KEYS, *ORDER_KEYS,
)  # fmt: skip
_MERCHANT = ("id", "name", "policy", "grading_scheme", "currency")
_ITEM = (
    "sku", "title", "category", "traits", "price", "mass_g", "mass_tolerance_g", "accessories", "gtins", "serialised",
    "volume_cm3",
)  # fmt: skip
_RETURN = (
    "rma", "order_id", "line", "sku", "quantity", "reason", "declared_reason", "comment", "serial", "paid",
    "ordered_at", "delivered_at", "authorised_at", "wish",
)  # fmt: skip


def read_case(data: bytes, rules: Rules, *, now: datetime, policy: str | None = None) -> Case:
    """Read one inspection.

    Args:
        data: the JSON document, UTF-8.
        rules: for the protocol, the policy and the words that are allowed.
        now: aware UTC; counts where the document has no ``at``.
        policy: replaces the document's policy.

    Raises:
        InvalidInput: names the place in the document, what stood there and what is allowed.
    """
    top = Table(parse_json(data), "", _TOP)
    merchant = _merchant(top, rules, policy)
    item = _item(top.table("item", _ITEM), merchant)
    authorisation = _authorisation(top, merchant, item)
    protocol = _protocol(top, item, rules)
    weight = _weight(top, item, top.time("at") or now)
    line = authorisation.lines[0] if authorisation is not None else None
    override = top.table("override", ("disposition", "reason"))
    return Case(
        at=top.time("at") or now,
        identity=top.choice_or("identity", IdentityOutcome.MATCH),
        merchant=merchant,
        item=item,
        authorisation=authorisation,
        line=line,
        protocol=protocol,
        answers=_answers(top, protocol, line, item),
        weight=weight,
        skipped=_skipped(top),
        flags=tuple(Reason("flagged", text) for text in top.texts("flags")),
        floor=read_floor(top, merchant.currency),
        derogations=read_derogations(top),
        gate_acts=read_acts(top),
        dates=read_dates(top),
        lot=top.text("lot") or None,
        made=made.date() if (made := top.time("made")) is not None else None,
        market=top.text("market"),
        override=None
        if override is None
        else Override(override.choice("disposition", Disposition), override.text("reason", needed=True)),
        serial_found=top.text("serial_found") or None,
    )


def _merchant(top: Table, rules: Rules, policy: str | None) -> Merchant:
    given = top.table("merchant", _MERCHANT)
    if given is not None and any(top.has(key) for key in ("policy", "grading_scheme", "currency")):
        raise InvalidInput("'merchant' is there, so put 'policy', 'grading_scheme' and 'currency' into it")
    source = given if given is not None else top
    name = policy or source.text("policy")
    if not name:
        raise InvalidInput(f"no policy: give 'policy' or 'merchant.policy', one of: {', '.join(rules.policy_names())}")
    scheme = source.text("grading_scheme", default="standard")
    rules.policy(name)  # refused here with the names that exist, rather than held later
    rules.scheme(scheme)
    currency = currency_of(source.text("currency", default="EUR"), source.at("currency"))
    merchant_id = given.text("id", default="merchant") if given is not None else "merchant"
    title = given.text("name", default=merchant_id) if given is not None else merchant_id
    return Merchant(merchant_id, title, name, scheme, currency)


def _item(table: Table | None, merchant: Merchant) -> CatalogueItem | None:
    if table is None:
        return None
    accessories = table.mapping("accessories")
    sku = table.text("sku", default="sku")
    return CatalogueItem(
        merchant_id=merchant.id,
        sku=sku,
        title=table.text("title", default=sku),
        category=table.text("category") or None,
        gtins=table.texts("gtins"),
        price=table.money("price", merchant.currency),
        mass_mg=table.mass("mass_g"),
        mass_tolerance_mg=table.mass("mass_tolerance_g"),
        accessories=tuple(
            (name, milligrams_of(mass, f"{table.at('accessories')}.{name}")) for name, mass in accessories.items()
        ),
        traits=tuple(word_of(word, Trait, table.at("traits")) for word in table.texts("traits")),
        serialised=table.flag("serialised"),
        volume_cm3=table.number("volume_cm3", 0) or None,
    )


def _authorisation(top: Table, merchant: Merchant, item: CatalogueItem | None) -> ReturnAuthorisation | None:
    table = top.table("return", _RETURN)
    if table is None:
        for key in ("order", "customs"):
            if top.has(key):
                raise InvalidInput(f"{key!r} is there without 'return': say what comes back")
        return None
    if table.has("reason") and table.has("declared_reason"):
        raise InvalidInput("'return.reason' and 'return.declared_reason' mean the same: give one")
    line = ReturnLine(
        line=table.number("line", 1),
        sku=table.text("sku", default=item.sku if item is not None else "sku"),
        quantity=table.number("quantity", 1),
        declared_reason=table.text("reason") or table.text("declared_reason") or None,
        comment=table.text("comment") or None,
        serial=table.text("serial") or None,
        paid=table.money("paid", merchant.currency),
        wish=table.choice_or("wish", Wish.REFUND),
    )
    return ReturnAuthorisation(
        id=table.text("rma", default="RMA"),
        merchant_id=merchant.id,
        order_id=table.text("order_id") or None,
        lines=(line,),
        ordered_at=table.time("ordered_at"),
        delivered_at=table.time("delivered_at"),
        authorised_at=table.time("authorised_at"),
        order=read_order(top, merchant.currency),
        customs=read_customs(top, merchant.currency),
    )


def _protocol(top: Table, item: CatalogueItem | None, rules: Rules) -> Protocol | None:
    named = top.text("protocol")
    if not named:
        return rules.protocol_for(item) if item is not None else None
    name, _, version = named.partition("@")
    versions = [known for protocol_id, known in rules.protocols if protocol_id == name]
    if not versions:
        known = sorted({protocol_id for protocol_id, _ in rules.protocols})
        raise InvalidInput(f"'protocol' = {named!r}; {did_you_mean(name, known)}")
    found = rules.protocol(name, int(version) if version.isascii() and version.isdigit() else max(versions))
    if found is None or (version and not version.isdigit()):
        raise InvalidInput(
            f"'protocol' = {named!r}; versions of {name!r} here: {', '.join(map(str, sorted(versions)))}"
        )
    return found


def _answers(
    top: Table, protocol: Protocol | None, line: ReturnLine | None, item: CatalogueItem | None
) -> tuple[Answer, ...]:
    given = top.get("answers")
    if given is not None and top.has("shortcut"):
        raise InvalidInput("'answers' and 'shortcut' are both there: give one")
    if top.has("shortcut"):
        return _by_shortcut(top.text("shortcut"), protocol, line, item)
    if given is None:
        return ()
    if isinstance(given, list):
        tables = [
            Table(entry, f"answers[{number}]", ("question", "choice", "given_by")) for number, entry in enumerate(given)
        ]
        answers = [
            Answer(t.text("question", needed=True), t.text("choice", needed=True), t.text("given_by", default="key"))
            for t in tables
        ]
    else:
        answers = [_answer_of(name, value, protocol) for name, value in top.mapping("answers").items()]
    for answer in answers:
        _check_answer(answer, protocol)
    return tuple(answers)


def _answer_of(name: str, value: object, protocol: Protocol | None) -> Answer:
    """A choice in quotes; for a question that asks for a number also the number, an integer in its smallest steps."""
    question = protocol.question(name) if protocol is not None else None
    if question is None or question.number is None or not isinstance(value, int) or isinstance(value, bool):
        return Answer(name, _text_of(name, value), "key")
    try:
        choice, kept = read_entry(question, question.number.shown(value))
    except InvalidInput as error:
        raise InvalidInput(f"'answers.{name}' = {value!r}: {error}") from error
    return Answer(name, choice.id, "key", kept)


def _text_of(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"'answers.{name}' must be a choice in quotes, got {kind_of(value)}")
    return value


def _check_answer(answer: Answer, protocol: Protocol | None) -> None:
    if answer.question == WEIGHT_CHECK:
        question = weight_question(WeightJudgement(WeightVerdict.TOO_LIGHT, None, None, None, None))
    else:
        if protocol is None:
            raise InvalidInput(f"'answers.{answer.question}': no protocol covers this article, so nothing was asked")
        known = [question.id for question in protocol.questions]
        found = protocol.question(answer.question)
        if found is None:
            raise InvalidInput(
                f"'answers.{answer.question}': protocol {protocol.id!r} has no such question; "
                f"{did_you_mean(answer.question, known)}"
            )
        question = found
    choices = [choice.id for choice in question.choices]
    if answer.choice not in choices:
        raise InvalidInput(f"'answers.{answer.question}' = {answer.choice!r}; {did_you_mean(answer.choice, choices)}")


def _by_shortcut(
    code: str, protocol: Protocol | None, line: ReturnLine | None, item: CatalogueItem | None
) -> tuple[Answer, ...]:
    shortcut = protocol.shortcut(code) if protocol is not None else None
    if protocol is None or shortcut is None:
        known = [known.code for known in protocol.shortcuts] if protocol is not None else []
        raise InvalidInput(f"'shortcut' = {code!r}; {did_you_mean(code, known)}")
    reason = line.declared_reason if line is not None else None
    traits = tuple(item.traits) if item is not None else ()
    given: dict[str, str] = {}
    while True:
        open_now = [q for q in protocol.open_questions(given, reason, traits) if q.id in shortcut.answers]
        if not open_now:
            return tuple(Answer(name, choice, f"shortcut:{code}") for name, choice in given.items())
        given[open_now[0].id] = shortcut.answers[open_now[0].id]


def _weight(top: Table, item: CatalogueItem | None, at: datetime) -> WeightJudgement | None:
    if top.has("weight_g") and top.has("judgement"):
        raise InvalidInput("'weight_g' and 'judgement' are both there: give one")
    gross = top.mass("weight_g")
    if gross is not None:
        interval = top.mass("scale_interval_g")
        step = 1_000 if interval is None else interval
        return judge_weight(WeightReading(gross, StableSource.SCALE, "g", step, b"", "file", at), item)
    given = top.get("judgement")
    if given is None:
        return None
    table = Table(
        {"verdict": given} if isinstance(given, str) else given,
        "judgement",
        ("verdict", "difference_g", "missing_part"),
    )
    expected = item.mass_mg if item is not None else None
    part = table.text("missing_part") or None
    return WeightJudgement(table.choice("verdict", WeightVerdict), table.mass("difference_g"), expected, None, part)


def _skipped(top: Table) -> tuple[Skipped, ...]:
    given = top.get("skipped")
    if isinstance(given, list):
        tables = [Table(entry, f"skipped[{number}]", ("what", "reason")) for number, entry in enumerate(given)]
        return tuple(Skipped(table.text("what", needed=True), table.text("reason", needed=True)) for table in tables)
    pairs: Mapping[str, object] = top.mapping("skipped")
    for what, reason in pairs.items():
        if not isinstance(reason, str):
            raise InvalidInput(f"'skipped.{what}' must be the reason in quotes, got {kind_of(reason)}")
    return tuple(Skipped(what, str(reason)) for what, reason in pairs.items())
