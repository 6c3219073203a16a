"""Manifests and batches for tests, and what became of them."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db.models.functions import Now

from audit.models import AuditEvent, Kind
from ocr import batches, lifecycle
from ocr.models import Batch, BatchItem, Document, OutboxEvent, Status
from tenants import scope
from tenants.models import Tenant
from tests import make

State = BatchItem.State


def rows(folder: Path, count: int, *, missing: Sequence[int] = (), **more: Any) -> list[dict[str, Any]]:
    """Rows of so many files, which are made, but for the missing ones (by number, from 1)."""
    found = []
    for number in range(1, count + 1):
        if number not in missing:
            (folder / f"{number}.png").write_bytes(make.image(f"row {number}"))
        found.append({"bucket": folder.name, "key": f"{number}.png", "document_type": "receipt", **more})
    return found


def as_csv(told: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    columns = list(dict.fromkeys(name for row in told for name in row))
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    cells = ({name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()} for row in told)
    writer.writerows(cells)
    return out.getvalue()


def as_lines(told: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in told)


def submit(where: Tenant, told: object, *, format_: str = "json", name: str = "m", **wishes: Any) -> Batch:
    """A batch of tenant `where`; a text is taken as it is, anything else as JSON. Raises batches.Refused."""
    text = told if isinstance(told, str | bytes) else json.dumps(told)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        manifest = batches.Manifest(path, format_, f"{name}.{format_}")
        return batches.accept(manifest, batches.Wishes(**wishes), tenant_id=where.pk, actor="user:ada")


def reload(batch: Batch) -> Batch:
    with scope.everything():
        found: Batch = Batch.objects.select_related("tenant").get(pk=batch.pk)
        return found


def states(batch: Batch) -> list[str]:
    """Of the rows, in order."""
    with scope.everything():
        return list(BatchItem.objects.filter(batch=batch).order_by("row").values_list("state", flat=True))


def items(batch: Batch) -> list[BatchItem]:
    with scope.everything():
        return list(BatchItem.objects.filter(batch=batch).order_by("row").select_related("document"))


def documents(batch: Batch) -> list[Document]:
    """Every document of the tenant that a batch made, whether a row knows it or not."""
    with scope.everything():
        return list(Document.objects.filter(tenant_id=batch.tenant_id, source="batch").order_by("filename"))


def feed(batch: Batch) -> None:
    batches.feed(batch.tenant_id, batch.pk)


def feeder_died(batch: Batch) -> None:
    """Time has passed: the lease of whoever fed the batch is over, and every pause."""
    with scope.everything():
        Batch.objects.filter(pk=batch.pk).update(fed_until="2020-01-01T00:00:00Z")
        BatchItem.objects.filter(batch=batch).exclude(due_at=None).update(due_at=Now())


def rest(document: Document, to: Status = Status.APPROVED, *, code: str = "") -> Document:
    """The document needs no worker any more: what the pipeline does in the end, without the reading."""
    with scope.scope([document.tenant_id]):
        for status in (Status.READING, to):
            changes = {"error_code": code} if status == Status.FAILED else {}
            document = lifecycle.move(
                lifecycle.of(document.pk), status, actor="system", expected_version=document.version, reason="test",
                changes=changes,
            )  # fmt: skip
    return document


def run(batch: Batch) -> Batch:
    """Feed and read until the batch has ended."""
    for _ in range(60):
        feeder_died(batch)
        feed(batch)
        if reload(batch).finished_at:
            return reload(batch)
        for document in documents(batch):
            if document.step:
                rest(document)
    raise AssertionError(f"the batch does not end: {states(batch)}")


def told(batch: Batch) -> list[str]:
    """The changes on the audit trail, oldest first."""
    with scope.everything():
        found = AuditEvent.objects.filter(kind=Kind.BATCH_CHANGED, codes__batch=str(batch.pk)).order_by("id")
        return [event.codes["change"] for event in found]


def events(batch: Batch) -> list[OutboxEvent]:
    with scope.everything():
        return list(OutboxEvent.objects.filter(batch_id=batch.pk).order_by("created_at"))
