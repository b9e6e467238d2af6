"""What the inspection can say for a claim of duties: the reason's code, and an answer to "was it used?".

The station attests what somebody saw and nothing else: whether duties may be claimed back is a broker's question (check
before claiming compliance). Source of the question: 19 U.S.C. §1313(j), drawback of unused merchandise; Regulation (EU)
No 952/2013, articles 118 and 203, goods that do not comply with the contract and returned goods.
"""

from __future__ import annotations

from station.decision.books import ReasonBook
from station.decision.findings import Findings
from station.decision.model import AxisLevel, Case, CustomsNote, Used
from station.inspection.facts import IdentityOutcome
from station.returns.policy import Policy


def customs_note(
    case: Case, policy: Policy | None, findings: Findings, axes: tuple[AxisLevel, ...], reasons: ReasonBook
) -> CustomsNote | None:
    """The note for the file.

    Returns:
        None = the return crossed no border that is known.
    """
    crossed = case.authorisation.customs if case.authorisation is not None else None
    if crossed is None:
        return None
    used, why = _used(case, policy, findings, axes, reasons)
    found = reasons.reason(findings.found_reason) or reasons.reason(findings.declared)
    return CustomsNote(
        reason_code=found.customs if found is not None else "",
        used=used,
        statement=why,
        entry=crossed.entry,
        commodity=crossed.commodity,
        duty=crossed.duty,
    )


def _used(
    case: Case, policy: Policy | None, findings: Findings, axes: tuple[AxisLevel, ...], reasons: ReasonBook
) -> tuple[Used, str]:
    if case.identity is not IdentityOutcome.MATCH:
        return Used.CANNOT_SAY, "Cannot say whether it was used: it is not proven to be the article that was sent"
    if not axes or policy is None:
        return Used.CANNOT_SAY, "Cannot say whether it was used: not every side of its condition was looked at"
    seen = ", ".join(f"{axis.axis} {axis.level} of {axis.best} ({axis.meaning})" for axis in axes)
    if findings.found_reason in policy.customs.used_reasons:
        return Used.USED, f"Used: the inspection found {reasons.label(findings.found_reason or '')}; {seen}"
    levels = {axis.axis: axis.level for axis in axes}
    if all(levels.get(axis, 0) >= least for axis, least in policy.customs.unused_needs.items()):
        return Used.UNUSED, f"No signs of use: {seen}"
    found = reasons.reason(findings.found_reason)
    if found is not None and found.our_error:
        return Used.CANNOT_SAY, f"Cannot say whether it was used: {found.label}; {seen}"
    return Used.USED, f"Signs of use: {seen}"
