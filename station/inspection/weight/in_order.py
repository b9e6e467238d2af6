"""Which inspections a mass is learned from: weighed, the announced article, and nothing of it missing."""

from __future__ import annotations

from station.inspection.facts import IdentityOutcome, WeightVerdict
from station.inspection.plausibility import COMPLETE, WEIGHT_CHECK
from station.inspection.record import Inspection

_MISSING = "missing_part"


def is_in_order(inspection: Inspection) -> bool:
    """Whether the weight was plausible, or a person looked inside and found all there."""
    weight, judgement = inspection.weight, inspection.judgement
    if weight is None or weight.gross_mg <= 0 or inspection.identity is not IdentityOutcome.MATCH:
        return False
    if inspection.merchant_id is None or inspection.sku is None:
        return False  # nobody could ask for it again
    if any(kind == _MISSING for kind, _ in inspection.defects):
        return False
    looked = [answer.choice for answer in inspection.answers if answer.question == WEIGHT_CHECK]
    if looked:
        return looked[-1] == COMPLETE
    return judgement is not None and judgement.verdict is WeightVerdict.PLAUSIBLE
