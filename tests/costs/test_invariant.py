"""verify's I11: the ledger, the extractions and the monthly sums agree; each way in which they do not is found."""

from __future__ import annotations

from typing import Any

import pytest

from dtat_site import invariants
from ocr import costs
from ocr.models import Charge, Extraction
from tenants import scope
from tests import make
from tests.conftest import as_superuser
from tests.costs import books

pytestmark = pytest.mark.django_db(transaction=True)
KINDS: dict[str, dict[str, Any]] = {
    "billed": {"state": "collected", "pages": 1, "micro_dollars": 50_000},
    "reused": {"state": "collected", "pages": 1, "reused_from": "00000000-0000-0000-0000-000000000001"},
    "uncertain": {"state": "failed", "charge_uncertain": True},
}


def ended(cast: make.Cast, kind: Charge.Kind) -> Extraction:
    """An extraction that ended in this way and was charged for it."""
    run = books.saved(cast.a)
    with scope.everything():
        Extraction.objects.filter(pk=run.pk).update(**KINDS[kind])
        costs.charge([costs.entry(run, pages=1, kind=kind)])
    return run


def broken() -> list[str]:
    with scope.everything():
        found = invariants.Invariant("I11", "")
        invariants._money_adds_up(found, {})
    return found.broken


def test_it_holds_for_every_way_to_end(cast: make.Cast) -> None:
    for kind in Charge.Kind:
        ended(cast, kind)
    books.saved(cast.a)  # has not ended
    assert broken() == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE ocr_charge SET pages = 2, micro_dollars = 100000 WHERE kind = 'billed'", "was charged 100000 and says 50000"),
        ("UPDATE ocr_charge SET kind = 'uncertain' WHERE kind = 'billed'", "was charged as uncertain and not as billed"),
        ("UPDATE ocr_charge SET extraction_id = 99999 WHERE kind = 'billed'", "ended and was never charged"),
        ("UPDATE ocr_charge SET extraction_id = 99999 WHERE kind = 'billed'", "was charged and is gone"),
        ("DELETE FROM ocr_charge WHERE kind = 'uncertain'", "ended and was never charged"),
        ("UPDATE ocr_extraction SET state = 'started' WHERE micro_dollars > 0", "was charged and has not ended"),
        ("UPDATE ocr_charge SET document_id = gen_random_uuid() WHERE kind = 'reused'", "was charged to somebody else"),
        ("UPDATE ocr_monthlycost SET pages = pages + 1", "the lines say (1, 1, 50000, 50000), the sums (2, 1, 50000, 50000)"),
        ("DELETE FROM ocr_monthlycost", "the sums None"),
        ("UPDATE ocr_charge SET region = 'mars-1' WHERE kind = 'billed'", "mars-1, FORMS: the lines say (1, 0, 50000, 0), the sums None"),
    ],
)  # fmt: skip
def test_each_disagreement_is_found(cast: make.Cast, statement: str, told: str) -> None:
    for kind in Charge.Kind:
        ended(cast, kind)
    with as_superuser() as cursor:
        cursor.execute(statement)
    assert any(told in line for line in broken()), broken()


def test_lines_outlive_their_documents(cast: make.Cast) -> None:
    run = ended(cast, Charge.Kind.BILLED)
    with as_superuser() as cursor:  # as a purge would do it
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ocr_extraction; DELETE FROM ocr_document WHERE id = %s", [str(run.document_id)])
    assert broken() == []
    assert len(books.lines(cast.a)) == 1
