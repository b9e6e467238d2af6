"""The page of an evidence dossier: plain HTML for people, made of nothing but the evidence.

No script; all text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final

import msgspec

from station.decision.model import Decision, GateState
from station.inspection.record import (
    INSPECTION_CONFIRMED,
    INSPECTION_VOIDED,
    LABEL_PRINTED,
    PARCEL_CLOSED,
    PARCEL_OPENED,
    Inspection,
)
from station.journal.seal import CountersignedHead
from station.quantities import format_mass

if TYPE_CHECKING:
    from station.exchange.dossier import Header

_INSPECTION: Final = msgspec.json.Decoder(Inspection)

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "h1{font-size:1.6rem}h2{border-top:2px solid #111;padding-top:.5rem;margin-top:2rem}"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}"
    "img{max-width:28rem;width:100%;border:1px solid #999}figure{display:inline-block;margin:.5rem 1rem .5rem 0}"
    "code{font-size:.8rem;overflow-wrap:anywhere}.ended{background:#fde8c8;padding:.3rem .6rem}"
)
_KINDS: Final = {
    PARCEL_OPENED: "the parcel was opened",
    PARCEL_CLOSED: "the parcel was closed",
    INSPECTION_CONFIRMED: "an inspection was confirmed",
    INSPECTION_VOIDED: "an inspection was taken back",
    LABEL_PRINTED: "a label was printed",
}


def page(
    headers: Sequence[Header],
    payloads: Mapping[tuple[int, int], bytes],
    photos: Mapping[str, bytes],
    heads: Sequence[CountersignedHead],
) -> bytes:
    """The page, UTF-8. An inspection that this program cannot read is named, not left out."""
    mine = [header for header in headers if (header.generation, header.seq) in payloads]
    ended = dict(_endings(mine, payloads))
    parts: list[str] = []
    title = ""
    for header in mine:
        if header.kind != INSPECTION_CONFIRMED:
            continue
        try:
            fact = _INSPECTION.decode(payloads[header.generation, header.seq])
        except (msgspec.MsgspecError, UnicodeError) as error:
            parts.append(
                f"<p>Entry {header.seq} is in a form that this program does not read: {escape(str(error))}</p>"
            )
            continue
        title = title or f"{fact.lpn}: {fact.title}"
        parts += _inspection(header, fact, ended.get(fact.inspection_id), photos)
    rows = [
        (f"{header.generation}/{header.seq}", header.recorded_at, _KINDS.get(header.kind, header.kind),
         f"badge {header.actor}", f"<code>{escape(header.hash)}</code>")
        for header in mine
    ]  # fmt: skip
    parts.append("<h2>What the journal says of this unit</h2>")
    parts.append(_table(("entry", "recorded", "what", "by", "hash"), rows))
    parts.append("<h2>How it can be checked</h2>")
    parts += _proof(headers, heads)
    text = escape(title or "a returned unit")
    whole = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{text}</title>'
        f"<style>{_STYLE}</style></head>\n"
        f"<body><h1>Evidence: {text}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )
    return whole.encode()


def _endings(mine: Sequence[Header], payloads: Mapping[tuple[int, int], bytes]) -> Iterator[tuple[str, str]]:
    for header in mine:
        if header.kind not in (INSPECTION_CONFIRMED, INSPECTION_VOIDED):
            continue
        try:
            plain = msgspec.json.decode(payloads[header.generation, header.seq], type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeError):
            continue
        if header.kind == INSPECTION_VOIDED:
            yield str(plain.get("inspection_id")), f"taken back by entry {header.seq}: {plain.get('reason')}"
        elif plain.get("corrects") is not None:
            yield str(plain["corrects"]), f"replaced by the inspection of entry {header.seq}"


def _customs(decision: Decision) -> str:
    """What the inspection says for a claim of duties; empty = no border is known."""
    note = decision.customs
    if note is None:
        return ""
    return f"{note.statement}. Reason code {note.reason_code or 'none'}, entry {note.entry or 'unknown'}"


def _inspection(header: Header, fact: Inspection, ended: str | None, photos: Mapping[str, bytes]) -> Iterator[str]:
    decision = fact.decision
    yield f"<h2>Inspection of {escape(_minute(fact.confirmed_at))}</h2>"
    if ended is not None:
        yield f'<p class="ended">This inspection no longer counts: {escape(ended)}.</p>'
    amount = decision.refund.amount
    facts = [
        ("Licence plate", fact.lpn), ("Return", fact.rma), ("Merchant", fact.merchant_id), ("Article", fact.title),
        ("SKU", fact.sku), ("GTIN", fact.gtin), ("Serial announced", fact.serial_declared),
        ("Serial found", fact.serial_found), ("Is it the thing announced?", fact.identity.value.replace("_", " ")),
        ("Reason the customer gave", fact.declared_reason), ("Reason found", decision.found_reason),
        ("Weight", _weight(fact)),
        ("Grade", f"{decision.grade.code}: {decision.grade.meaning}" if decision.grade else "not graded"),
        ("Decision", decision.disposition.value.replace("_", " ")),
        ("Refund", f"{decision.refund.decision}{f', {amount}' if amount else ''}"),
        ("Written reason of deductions", decision.refund.statement),
        ("Customs", _customs(decision)),
        ("Defects", ", ".join(f"{kind} ({severity})" for kind, severity in fact.defects) or "none"),
        ("Bench", header.station), ("Rules used", "; ".join(f"{what}: {which}" for what, which in decision.versions)),
    ]  # fmt: skip
    yield _table((), [(name, escape(value)) for name, value in facts if value])
    yield from _list("Why it goes there", [reason.text for reason in decision.reasons])
    yield from _list("Why this refund", [reason.text for reason in decision.refund.trail])
    yield from _list(
        "Rules of safety and law that were raised",
        [gate.reason.text for gate in decision.gates if gate.state is GateState.RAISED],
    )
    yield from _list("Why a second person should look", [reason.text for reason in decision.second_look])
    yield from _list(
        "Answers", [f"{answer.question}: {answer.choice} (by {answer.given_by})" for answer in fact.answers]
    )
    yield from _list("Left out", [f"{skipped.what}: {skipped.reason}" for skipped in fact.skipped])
    for photo in fact.photos:
        caption = f"{escape(photo.shot)}, {escape(_minute(photo.taken_at))}<br><code>{escape(photo.sha256)}</code>"
        if photo.sha256 in photos:
            picture = f'<img src="{escape(f"photos/{photo.sha256}.jpg")}" alt="{escape(photo.shot)}">'
            yield f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"
        else:
            yield f"<p>Photo {caption}<br>is not in this dossier: the bench does not have it any more.</p>"


def _weight(fact: Inspection) -> str | None:
    if fact.weight is None:
        return None
    verdict = f", {fact.judgement.verdict.value.replace('_', ' ')}" if fact.judgement else ""
    return f"{format_mass(fact.weight.gross_mg)}{verdict}"


def _proof(headers: Sequence[Header], heads: Sequence[CountersignedHead]) -> Iterator[str]:
    for generation in sorted({header.generation for header in headers}):
        chain = [header for header in headers if header.generation == generation]
        yield (
            f"<p>The chain of generation {generation} is here from entry {chain[0].seq} to entry {chain[-1].seq}, "
            f"whose hash is <code>{escape(chain[-1].hash)}</code>. README.txt says how to check it.</p>"
        )
    for head in heads:
        yield (
            f"<p>The server {escape(head.server)} signed on {escape(head.at)} that it holds generation "
            f"{head.generation} up to entry {head.seq}, hash <code>{escape(head.hash)}</code>, with the key "
            f"<code>{escape(head.key)}</code>.</p>"
        )
    if not heads:
        yield "<p>No signature of the central server covers this unit yet: compare the last hash with the server.</p>"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h3>{escape(title)}</h3><ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the last cell of a row is HTML already, the others are text."""
    top = "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>" if head else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1]) + f"<td>{row[-1]}</td></tr>" for row in rows
    )
    return f"<table>{top}{body}</table>"


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
