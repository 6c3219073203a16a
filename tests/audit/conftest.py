from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from pytest_django.plugin import DjangoDbBlocker

from audit import trail
from audit.models import AuditEvent, Kind
from tenants import scope
from tenants.models import Tenant
from tests import conftest, make


def story(tenant_id: UUID, *, length: int = 3, document_id: UUID | None = None) -> str:
    """Record a document's chain of so many events; its name."""
    document_id = document_id or uuid4()
    kinds = [Kind.INGESTED, Kind.NORMALIZED, Kind.CLAIMED, Kind.FIELD_CORRECTED, Kind.HUMAN_REVIEW_APPROVED]
    with scope.everything():
        for number in range(length):
            trail.record(
                kinds[number % len(kinds)],
                tenant_id=tenant_id,
                document_id=document_id,
                version=number + 1,
                actor=("user:ada", "system", "key:dtat_abc")[number % 3],
                step="read",
                codes={"count": number, "reasons": ["missing", "ünclear"], "counts": {"b": 1, "a": None}},
            )
    return f"document:{document_id}"


def events(chain: str) -> list[AuditEvent]:
    with scope.everything():
        return list(AuditEvent.objects.filter(chain=chain).order_by("seq"))


@dataclass(slots=True)
class Written:
    """A committed trail of two tenants."""

    a: Tenant
    b: Tenant
    chains: list[str] = field(default_factory=list)  # every one; those of tenant a first


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Written]:
    """Twenty chains of 5 to 24 events, committed once for the module: other roles and connections see them too."""
    with django_db_blocker.unblock():
        made = Written(make.tenant("Alder"), make.tenant("Birch"))
        with scope.everything():
            made.chains = [story((made.a, made.b)[number >= 12].pk, length=5 + number) for number in range(20)]
            trail.record(Kind.KEY_ISSUED, tenant_id=made.a.pk, actor="user:ada", codes={"key": "x"})
        yield made
        conftest.empty_tables()
