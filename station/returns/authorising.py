"""Whether a return may come, before anything is on its way: the merchant's policy applied to what a shop asks. Pure.

Order, as for the refund (``station.decision.refund``): known article → final sale → window; an error of ours opens the
first two. Then, for what is approved: keep it, and who pays the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from station.decision.books import ReasonBook
from station.decision.model import Reason
from station.quantities import Money
from station.returns.eligibility import Verdict, check_window
from station.returns.model import CatalogueItem, ReturnAuthorisation, ReturnLine, Wish
from station.returns.policy import Payer, Policy


class Answer(StrEnum):
    APPROVED = "approved"
    REFUSED = "refused"
    MANUAL = "manual"
    """A person decides."""


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """The answer on one line."""

    line: ReturnLine
    answer: Answer
    reasons: tuple[Reason, ...]
    """The one that decided comes last."""


@dataclass(frozen=True, slots=True)
class ReturnVerdict:
    """The answer on a return."""

    answer: Answer
    """Manual where any line is, otherwise approved where any line is."""
    lines: tuple[LineVerdict, ...]
    keep: bool
    """The refund without the goods: they need not come back."""
    payer: Payer
    label: Money | None
    """What the customer pays for the way back, off the refund; None = nothing."""


def authorise(
    asked: ReturnAuthorisation, policy: Policy | None, item_of: Callable[[str], CatalogueItem | None],
    reasons: ReasonBook, currency: str, at: datetime,
) -> ReturnVerdict:  # fmt: skip
    """Judge a return that is asked for.

    Args:
        asked: with its dates; ``authorised_at`` None = now.
        policy: the merchant's; None = not known, so a person decides.
        item_of: an article by its SKU; None = not in the catalogue.
        currency: the merchant's.
        at: now.
    """
    lines = tuple(_line(asked, line, policy, item_of(line.sku), reasons, at) for line in asked.lines)
    answers = {one.answer for one in lines}
    whole = Answer.MANUAL if Answer.MANUAL in answers else Answer.REFUSED
    if whole is not Answer.MANUAL and Answer.APPROVED in answers:
        whole = Answer.APPROVED
    coming = [one.line for one in lines if one.answer is not Answer.REFUSED]
    payer, label = _way_back(coming, policy, reasons, currency)
    keep = whole is Answer.APPROVED and _may_keep(coming, policy, item_of)
    return ReturnVerdict(whole, lines, keep, payer, None if keep else label)


def _line(
    asked: ReturnAuthorisation, line: ReturnLine, policy: Policy | None, item: CatalogueItem | None,
    reasons: ReasonBook, at: datetime,
) -> LineVerdict:  # fmt: skip
    def said(answer: Answer, *why: Reason) -> LineVerdict:
        return LineVerdict(line, answer, (*trail, *why))

    trail: tuple[Reason, ...] = ()
    if policy is None:
        return said(Answer.MANUAL, Reason("no_policy", "No policy is known for this merchant"))
    known = reasons.reason(line.declared_reason)
    our_error = known is not None and known.our_error
    if our_error and known is not None:
        trail = (Reason("our_error", f"Our error ({known.label}), as the customer says"),)
    if item is None and not policy.refund.generous_on_doubt:
        return said(Answer.MANUAL, Reason("article_unknown", f"The article {line.sku!r} is not in the catalogue"))
    category = item.category if item is not None else None
    if policy.is_final_sale(line.sku, category) and not (our_error and policy.final_sale.except_our_error):
        return said(Answer.REFUSED, Reason("final_sale", "Final sale: sold without a right to return"))
    window = check_window(policy, category, asked, at)
    if window.verdict is Verdict.LATE:
        if policy.window.late == "credit" and not our_error:
            return said(
                Answer.APPROVED, window.reason, Reason("late_credit", "Late: store credit instead of the money")
            )
        is_open = our_error or policy.window.late == "manual"
        return said(Answer.MANUAL if is_open else Answer.REFUSED, window.reason)
    if window.verdict is Verdict.UNKNOWN and not policy.refund.generous_on_doubt:
        return said(Answer.MANUAL, window.reason)
    return said(Answer.APPROVED, window.reason)


def _way_back(
    lines: Sequence[ReturnLine], policy: Policy | None, reasons: ReasonBook, currency: str
) -> tuple[Payer, Money | None]:
    """Who pays; one parcel, so one line that is ours makes it all ours, and so does one that is exchanged for free."""
    if policy is None or (policy.shipping.free_on_exchange and any(line.wish is Wish.EXCHANGE for line in lines)):
        return Payer.MERCHANT, None
    payers = {_payer(line, policy.shipping.by_reason, policy.shipping.paid_by, reasons) for line in lines}
    if Payer.MERCHANT in payers or not payers:
        return Payer.MERCHANT, None
    cost = policy.shipping.label_cost.get(currency)
    return Payer.CUSTOMER, Money(cost, currency) if cost else None


def _payer(line: ReturnLine, by_reason: Mapping[str, Payer], general: Payer, reasons: ReasonBook) -> Payer:
    known = reasons.reason(line.declared_reason)
    if known is not None and known.our_error:
        return Payer.MERCHANT
    return by_reason.get(line.declared_reason or "", general)


def _may_keep(
    lines: Sequence[ReturnLine], policy: Policy | None, item_of: Callable[[str], CatalogueItem | None]
) -> bool:
    """All that is sent back is worth so little that nobody wants it: known amounts of one currency alone."""
    if policy is None or not lines:
        return False
    if policy.refund.keep_it_not and any(
        (item := item_of(line.sku)) is None or policy.must_come_back(item.category) for line in lines
    ):
        return False
    amounts = [line.paid for line in lines]
    if any(paid is None for paid in amounts):
        return False
    currencies = {paid.currency for paid in amounts if paid is not None}
    below = policy.refund.keep_it_below.get(next(iter(currencies))) if len(currencies) == 1 else None
    total = sum(line.paid.minor * line.quantity for line in lines if line.paid is not None)
    return below is not None and 0 <= total <= below
