"""Which candidates stand with the firm or person that they belong to: a supplier's tax number and not its customer's."""

from __future__ import annotations

from ocr.extraction.candidates import NAMED_BY_THE_ENGINE, Candidate
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.support import Merged

_STANDS_WITH = 0.16  # what a value gains that stands with its owner
# How far its block may reach from the beginning of its name, in fractions of the page.
_TO_THE_LEFT, _TO_THE_RIGHT, _DOWN = 0.12, 0.26, 0.11
_FOOTER = 0.88  # what stands below is the sender's wherever its name is


def belonging(spec: FieldSpec, merged: Merged) -> None:
    """Raise the values of a field that belongs to another which stand below the likeliest value of that one, or in the footer.

    Where the engine itself says whose a value is, its place says nothing more.
    """
    found, owners = merged.get(spec.name, ()), merged.get(spec.belongs_to or "", ())
    if len(found) > 1 and owners:
        owner = max(owners, key=lambda each: each.score)
        merged[spec.name] = [
            each._replace(score=each.score + _STANDS_WITH) if _stands_with(each, owner) else each for each in found
        ]


def _stands_with(each: Candidate, owner: Candidate) -> bool:
    if each.why in NAMED_BY_THE_ENGINE:
        return True
    if not each.box or not owner.box or each.page != owner.page:
        return False
    right, down = each.box.left - owner.box.left, each.box.top - owner.box.top
    is_in_block = -_TO_THE_LEFT <= right <= _TO_THE_RIGHT and 0 <= down <= _DOWN
    return is_in_block or each.box.top >= _FOOTER
