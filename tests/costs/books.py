"""What the tests of the ledger need: extractions without an engine, and the ledger as the database has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ocr import costs
from ocr.models import Budget, Charge, Document, Extraction, MonthlyCost, Status
from tenants import scope
from tenants.models import Tenant
from tests import make


def planned(where: Tenant, features: Sequence[str] = ("FORMS",), *, pages: int = 1, number: int = 1) -> Extraction:
    """An unsaved extraction of a new document of so many pages, about to be sent."""
    document = make.receive(where).document
    with scope.everything():
        Document.objects.filter(pk=document.pk).update(page_count=pages)
    document.page_count = pages
    return Extraction(
        tenant=where,
        document=document,
        number=number,
        operation="StartDocumentAnalysis" if features else "StartDocumentTextDetection",
        features=list(features),
        token=f"{document.pk.hex}{number}",
    )


def saved(where: Tenant, features: Sequence[str] = ("FORMS",), *, pages: int = 1) -> Extraction:
    """The same, saved."""
    run = planned(where, features, pages=pages)
    with scope.everything():
        run.save()
    return run


def charge(*entries: costs.Entry, **more: Any) -> None:
    with scope.everything():
        costs.charge(entries, **more)


def lines(where: Tenant) -> list[Charge]:
    with scope.everything():
        return list(Charge.objects.filter(tenant=where).order_by("id"))


def sums(where: Tenant) -> list[tuple[str, str, int, int, int, int]]:
    """Month, unit, pages, reused pages, micro-dollars, uncertain micro-dollars of each row."""
    with scope.everything():
        rows = list(MonthlyCost.objects.filter(tenant=where).order_by("month", "unit"))
    return [
        (f"{r.month:%Y-%m-%d}", r.unit, r.pages, r.reused_pages, r.micro_dollars, r.uncertain_micro_dollars)
        for r in rows
    ]


def cap(where: Tenant, micro_dollars: int | None) -> int:
    """Set the tenant's cap; how many documents that woke."""
    with scope.everything():
        return costs.set_cap(where, micro_dollars, actor="user:tom")


def left(where: Tenant) -> int | None:
    with scope.everything():
        return costs.allowance([where.pk])[where.pk]


def reserve(*runs: Extraction) -> list[Extraction]:
    """Set aside and save, as the workers do; those that may be sent."""
    with scope.everything():
        counts = {run.document_id: run.document.page_count for run in runs}
        granted = costs.reserve(runs, pages=counts)
        for run in granted:
            run.save()
    return granted


def reading(run: Extraction, state: Extraction.State = Extraction.State.STARTED) -> Extraction:
    """The extraction came so far, and its document is being read. Straight into the row: no trail, no version."""
    with scope.everything():
        Extraction.objects.filter(pk=run.pk).update(state=state)
    return run


def budget(where: Tenant) -> int | None:
    with scope.everything():
        found = Budget.objects.filter(tenant=where).first()
    return found.cap_micro_dollars if found else None


def received(of: Extraction) -> Document:
    document = make.reload(of.document)
    assert document.status == Status.RECEIVED
    return document
