"""What reading costs: estimates before, a ledger after, and a monthly cap that stops new documents and never reviewing.

Money is counted in micro-dollars (1 dollar = 1,000,000). How the steps of a document use this module:

- When an extraction is planned, in the transaction that saves it: `reserve` lets through what the caps leave room for. What is set
  aside is the extraction's own `estimate_micro_dollars`, counted as long as it is planned or started and its document is being
  worked on: nothing has to be given back after a crash or a failure, and nothing can be forgotten.
- When an answer is kept (or lost), last in the transaction that writes the extraction's new state: `charge`, with one `entry` each.
  The estimate ends with the old state in the same commit in which the charge begins to count.

Reviewing asks none of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils import formats
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import document_types, lifecycle, notices, prices, routing
from ocr.models import (
    OWN_TEXT,
    Budget,
    Charge,
    Document,
    DocumentType,
    Extraction,
    MonthlyCost,
    PriceTable,
    Priority,
    Status,
)
from tenants import access, scope
from tenants.changes import PLATFORM
from tenants.models import Tenant

if TYPE_CHECKING:
    from tenants.models import AnyUser

MICRO = 1_000_000
OVER_CAP = "monthly_cap"  # the error_code of a document that waits for money
PROBE = timedelta(minutes=10)  # how often such a document is looked at again: a month ends, estimates turn out lower
NEARLY = 0.8  # from this share of the cap on, people are told
_FRESH_SECONDS = 60.0

# --- Prices and estimates -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """What reading would cost, for all pages of all documents, by the prices of now."""

    operation: str
    features: tuple[str, ...]
    pages: int
    unit_micro_dollars: int
    price_version: str

    @property
    def micro_dollars(self) -> int:
        return self.pages * self.unit_micro_dollars


def price(features: Iterable[str], operation: str = "AnalyzeDocument") -> int:
    """What one page costs now, in micro-dollars, in the region that we use; nothing where Textract is not asked. Raises
    prices.NoPrice."""
    return 0 if operation == OWN_TEXT else _now().of(features, operation).micro_dollars


def estimate(document_type: str | DocumentType | None, *, pages: int, documents: int = 1) -> Estimate:
    """What so many documents of so many pages would cost; the type by its name, its row, or None when it is to be found.

    A file that was read before costs nothing. Raises LookupError for an unknown type.
    """
    row = document_types.named(document_type) if isinstance(document_type, str) and document_type else document_type
    if row is None and document_type:
        raise LookupError(_("There is no document type of that name."))
    asked = routing.asked_for(row if isinstance(row, DocumentType) else None, pages=pages)
    rates = _now()
    price_of_page = rates.of(asked.features, asked.operation).micro_dollars
    return Estimate(asked.operation, asked.features, pages * documents, price_of_page, rates.table.name)


def usd(micro_dollars: int) -> str:
    """The amount in dollars as a decimal string with six decimals, as REST answers write it."""
    return f"{Decimal(micro_dollars) / MICRO:.6f}"


@dataclass(frozen=True, slots=True)
class _Rates:
    """The prices of our region and how far the month has come, as they were when this process last looked."""

    table: prices.Prices
    pages: Mapping[str, int]  # of all tenants together: AWS's tiers go by the account
    looked_at: float

    def of(self, features: Iterable[str], operation: str = "AnalyzeDocument") -> prices.Price:
        return self.table.of(features, operation, before=self.pages)


_rates: dict[str, _Rates] = {}


def _now() -> _Rates:
    """At most a minute old: where a tier begins, and when new prices hold, is certain to a minute."""
    region = settings.AWS_REGION
    known = _rates.get(region)
    if known is None or time.monotonic() - known.looked_at > _FRESH_SECONDS:
        with scope.everything():
            known = _Rates(prices.in_region(region), _pages_this_month(region), time.monotonic())
        _rates[region] = known
    return known


def _pages_this_month(region: str) -> dict[str, int]:
    rows = MonthlyCost.objects.filter(region=region, month=this_month())
    return dict(rows.order_by().values_list("unit").annotate(sum=Sum("pages")))


def group_in_use() -> str:
    """The group of regions whose prices hold for us."""
    return _now().table.group


def change_prices(definition: Mapping[str, Any], *, actor: str) -> PriceTable:
    """The group's newest version, made and told in the audit trail when `definition` differs from it; it holds for what is charged
    from now on (within a minute on other hosts). Raises prices.InvalidPrices. Platform admins only: the caller has checked."""
    with transaction.atomic():
        before = set(PriceTable.objects.values_list("pk", flat=True))
        made = prices.add_version(definition, made_by=actor)
        if made.pk not in before:
            codes = {"target": f"prices:{made.group}", "change": "added", "version": made.version}
            trail.record(Kind.SETTINGS_CHANGED, tenant_id=PLATFORM, actor=actor, codes=codes)
    forget()
    return made


def forget() -> None:
    """Look at prices and tiers anew at the next question, not within the minute."""
    _rates.clear()


def this_month() -> date:
    """The first day of the month, in UTC, on the database's clock."""
    return lifecycle.database_now().astimezone(UTC).date().replace(day=1)


# --- The ledger ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line for the ledger. `micro_dollars` is what the extraction's own column has to say too."""

    tenant_id: UUID
    document_id: UUID
    extraction_id: int
    number: int
    kind: Charge.Kind
    operation: str
    features: tuple[str, ...]
    unit: str
    region: str
    price_version: str
    pages: int
    unit_micro_dollars: int

    @property
    def micro_dollars(self) -> int:
        return self.pages * self.unit_micro_dollars


def entry(run: Extraction, *, pages: int, kind: Charge.Kind = Charge.Kind.BILLED) -> Entry:
    """The line for this saved extraction, priced by the prices of now. Asks nobody but once a minute.

    BILLED: an answer came, `pages` as it says. REUSED: an earlier answer served, at no cost. UNCERTAIN: the answer was lost and no
    token guards it, so `pages` may have been billed; the extraction's own micro_dollars stay 0.
    """
    rates = _now()
    found = rates.of(run.features, run.operation)
    return Entry(
        tenant_id=run.tenant_id,
        document_id=run.document_id,
        extraction_id=run.pk,
        number=run.number,
        kind=kind,
        operation=run.operation,
        features=tuple(run.features),
        unit=found.unit,
        region=settings.AWS_REGION,
        price_version=rates.table.name,
        pages=pages,
        unit_micro_dollars=0 if kind == Charge.Kind.REUSED else found.micro_dollars,
    )


# One statement, so that only the lines which really came in are added up. Sums are locked in the order of their key.
_CHARGE = """
    WITH moment AS MATERIALIZED (SELECT coalesce($2::timestamptz, clock_timestamp()) AS at),
    added AS (
        INSERT INTO ocr_charge (tenant_id, document_id, extraction_id, number, kind, operation, features, unit, region,
                                price_version, pages, unit_micro_dollars, micro_dollars, at)
        SELECT r.tenant_id, r.document_id, r.extraction_id, r.number, r.kind, r.operation, r.features, r.unit, r.region,
               r.price_version, r.pages, r.unit_micro_dollars, r.micro_dollars, moment.at
          FROM jsonb_to_recordset($1::jsonb) AS r (
                   tenant_id uuid, document_id uuid, extraction_id bigint, number int, kind text, operation text,
                   features jsonb, unit text, region text, price_version text, pages int, unit_micro_dollars bigint,
                   micro_dollars bigint), moment
        ON CONFLICT (extraction_id) DO NOTHING
        RETURNING tenant_id, date_trunc('month', at AT TIME ZONE 'UTC')::date AS month, region, unit, kind, pages,
                  micro_dollars
    )
    INSERT INTO ocr_monthlycost AS sums
           (tenant_id, month, region, unit, pages, reused_pages, micro_dollars, uncertain_micro_dollars)
    SELECT tenant_id, month, region, unit,
           coalesce(sum(pages) FILTER (WHERE kind = 'billed'), 0), coalesce(sum(pages) FILTER (WHERE kind = 'reused'), 0),
           coalesce(sum(micro_dollars) FILTER (WHERE kind = 'billed'), 0),
           coalesce(sum(micro_dollars) FILTER (WHERE kind = 'uncertain'), 0)
      FROM added GROUP BY tenant_id, month, region, unit ORDER BY tenant_id, month, region, unit
    ON CONFLICT (tenant_id, month, region, unit) DO UPDATE
       SET pages = sums.pages + excluded.pages,
           reused_pages = sums.reused_pages + excluded.reused_pages,
           micro_dollars = sums.micro_dollars + excluded.micro_dollars,
           uncertain_micro_dollars = sums.uncertain_micro_dollars + excluded.uncertain_micro_dollars
"""


def charge(entries: Sequence[Entry], *, at: datetime | None = None) -> None:
    """Write the lines into the ledger and its monthly sums, each extraction once whatever happens.

    In the caller's transaction and scope, as its last statement: until commit the month's sums of these tenants are locked.
    """
    if not entries:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A charge is written in the transaction that keeps the answer.")
    prepared.fetch(_CHARGE, json.dumps([_row(each) for each in entries]), at)


def _row(line: Entry) -> dict[str, Any]:
    return {
        "tenant_id": str(line.tenant_id),
        "document_id": str(line.document_id),
        "extraction_id": line.extraction_id,
        "number": line.number,
        "kind": str(line.kind),
        "operation": line.operation,
        "features": list(line.features),
        "unit": line.unit,
        "region": line.region,
        "price_version": line.price_version,
        "pages": line.pages,
        "unit_micro_dollars": line.unit_micro_dollars,
        "micro_dollars": line.micro_dollars,
    }


def earlier_answer(document: Document, operation: str, features: Sequence[str]) -> Extraction | None:
    """A whole answer of the same tenant to the same bytes and questions: asking again would only be paid again."""
    if document.duplicate_of is None or "QUERIES" in features:
        return None
    same = Extraction.objects.filter(
        tenant_id=document.tenant_id,
        document__tenant_id=document.tenant_id,
        document__sha256=document.sha256,
        state=Extraction.State.COLLECTED,
        operation__in=routing.alike(operation),
        features=list(features),
        warnings=[],
        reused_from=None,
    )
    return same.exclude(document=document).order_by("collected_at").first()


# --- The cap ------------------------------------------------------------------------------------------------------

# Where each tenant with a cap stands. In flight counts as estimated; a document that failed or rests needs nothing any more.
_STANDING = """
    SELECT b.tenant_id, b.cap_micro_dollars,
           coalesce((SELECT sum(m.micro_dollars + m.uncertain_micro_dollars) FROM ocr_monthlycost m
                      WHERE m.tenant_id = b.tenant_id
                        AND m.month = date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date), 0)::bigint,
           coalesce((SELECT sum(e.estimate_micro_dollars) FROM ocr_extraction e JOIN ocr_document d ON d.id = e.document_id
                      WHERE e.tenant_id = b.tenant_id AND e.state IN ('planned', 'started')
                        AND d.status IN ('received', 'reading') AND e.id <> ALL (%(besides)s::bigint[])), 0)::bigint,
           EXISTS (SELECT 1 FROM ocr_document d
                    WHERE d.tenant_id = b.tenant_id AND d.error_code = 'monthly_cap' AND d.step <> '')
      FROM ocr_budget b
     WHERE b.tenant_id = ANY (%(tenants)s::uuid[]) AND b.cap_micro_dollars IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a tenant stands in this month, in micro-dollars; what is uncertain counts as spent."""

    tenant_id: UUID
    cap: int
    spent: int
    in_flight: int
    documents_wait: bool

    @property
    def left(self) -> int:
        return max(0, self.cap - self.spent - self.in_flight)

    @property
    def share(self) -> float:
        """Used, of the cap; 1 and more when there is nothing left."""
        used = self.spent + self.in_flight
        return used / self.cap if self.cap else 1.0


def standings(tenant_ids: Collection[UUID], *, besides: Sequence[int] = ()) -> dict[UUID, Standing]:
    """Where those of the tenants stand that have a cap. Extractions `besides` are left out of what is in flight."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"tenants": [str(each) for each in tenant_ids], "besides": list(besides)})
        return {row[0]: Standing(*row) for row in cursor.fetchall()}


def allowance(tenant_ids: Collection[UUID]) -> dict[UUID, int | None]:
    """What each tenant may still spend this month, in micro-dollars: None without a cap, 0 when there is nothing left.

    One query, without a lock: a look and no promise. `reserve` decides.
    """
    known = standings(tenant_ids)
    return {tenant_id: known[tenant_id].left if tenant_id in known else None for tenant_id in tenant_ids}


def reserve(runs: Sequence[Extraction], *, pages: Mapping[UUID, int]) -> list[Extraction]:
    """Those of `runs`, in their order, that their tenants' caps leave room for, with `estimate_micro_dollars` set.

    `runs` are extractions about to be sent: new ones, which the caller then saves, or planned ones of an earlier attempt. `pages`
    says how many each document has; leave out a run that an earlier answer serves, it costs nothing. For the others the caller
    writes error_code OVER_CAP and due_at now + PROBE to their documents, which stay as they are. Where not even one page fits any
    more, the tenant's other due documents are put off here in the same way: a long queue is not tried one by one.

    Call it in the transaction that saves the runs. It locks the budgets of tenants with a cap until commit, so that many workers
    together stay within it; tenants without one cost one empty query.
    """
    for run in runs:
        run.estimate_micro_dollars = price(run.features, run.operation) * pages[run.document_id]
    capped = _lock_budgets({run.tenant_id for run in runs})
    if not capped:
        return list(runs)
    # A statement of its own: it has to see what others saved before they let go of the lock.
    known = standings(capped, besides=[run.pk for run in runs if run.pk is not None])
    left = {tenant_id: standing.left for tenant_id, standing in known.items()}
    granted, refused = [], []
    for run in runs:
        if run.estimate_micro_dollars <= left.get(run.tenant_id, run.estimate_micro_dollars):
            granted.append(run)
            if run.tenant_id in left:
                left[run.tenant_id] -= run.estimate_micro_dollars
        else:
            refused.append(run)
    put_off({run.tenant_id for run in refused if left[run.tenant_id] < price(run.features, run.operation)})
    return granted


_LOCK_BUDGETS = """
    SELECT tenant_id FROM ocr_budget WHERE tenant_id = ANY ($1::text[]::uuid[]) AND cap_micro_dollars IS NOT NULL
     ORDER BY tenant_id FOR NO KEY UPDATE
"""


def _lock_budgets(tenant_ids: Collection[UUID]) -> list[UUID]:
    """The tenants among these that have a cap, their budgets locked until commit, always in the same order."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Money is set aside in the transaction that saves the extraction.")
    return [tenant_id for (tenant_id,) in prepared.fetch(_LOCK_BUDGETS, [str(each) for each in tenant_ids])]


def put_off(tenant_ids: Collection[UUID], *, limit: int = 2000) -> int:
    """Put the due, not yet started documents of these tenants off to the next probe; how many there were.

    They stay `received` and say why they wait. Those that somebody works on right now are left alone.
    """
    if not tenant_ids:
        return 0
    now = Now()
    due = Document.objects.filter(tenant_id__in=tenant_ids, status=Status.RECEIVED, step="start", due_at__lte=now)
    free = due.filter(Q(lease_until=None) | Q(lease_until__lt=now)).order_by()
    found = list(
        free.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("pk", flat=True)[:limit]
    )
    return Document.objects.filter(pk__in=found).update(error_code=OVER_CAP, due_at=now + PROBE)


def set_cap(tenant: Tenant, cap_micro_dollars: int | None, *, actor: str) -> int:
    """Set the tenant's monthly cap, with its line in the audit trail, and wake what waits for it; how many documents those are.

    None takes the cap away. The caller has checked who may do it and runs inside a scope that sees the tenant.
    """
    with transaction.atomic():
        budget, _made = Budget.objects.select_for_update().get_or_create(tenant=tenant)
        was = budget.cap_micro_dollars
        if was == cap_micro_dollars:
            return 0
        budget.cap_micro_dollars = cap_micro_dollars
        budget.save(update_fields=["cap_micro_dollars", "changed_at"])
        codes = {
            "target": tenant.slug,
            "change": "changed",
            "fields": ["monthly_cap"],
            "from": was,
            "to": cap_micro_dollars,
        }
        trail.record(Kind.TENANT_CHANGED, tenant_id=tenant.pk, actor=actor, codes=codes)
        return _wake(tenant)


def _wake(tenant: Tenant) -> int:
    """Make due what waits for money, and tell the workers. A document that a worker holds right now is passed: it asks by itself."""
    waiting = Document.objects.filter(tenant=tenant, error_code=OVER_CAP, status=Status.RECEIVED).exclude(step="")
    held = waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("pk", "priority")
    found = dict(held)
    woken = Document.objects.filter(pk__in=found).update(due_at=Now(), error_code="")
    notices.tell_all(notices.DUE, sorted({Priority(priority).name.lower() for priority in found.values()}))
    return woken


# --- What people are told -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """That a tenant's money for the month is nearly or wholly used."""

    tenant: str
    used_usd: str
    cap_usd: str
    reached: bool  # new documents wait

    @property
    def text(self) -> str:
        words = {"used": self.used_usd, "cap": self.cap_usd}
        if self.reached:
            return (
                _(
                    "Budget of this month used: $%(used)s of $%(cap)s. New documents wait; reviewing goes on. "
                    "An administrator can raise the budget."
                )
                % words
            )
        return (
            _(
                "Budget of this month used: $%(used)s of $%(cap)s. Once it is used up, new documents wait; reviewing goes on."
            )
            % words
        )


_CAPPED = """
    WHERE ocr_budget.cap_micro_dollars IS NOT NULL AND ($1::uuid[] IS NULL OR ocr_budget.tenant_id = ANY ($1::uuid[]))
    ORDER BY tenants_tenant.name
"""


def budgets(user: AnyUser) -> list[tuple[Tenant, Standing]]:
    """Where those of the user's tenants stand that have a cap, by name. Inside a scope."""
    capped = prepared.objects(Budget, _CAPPED, access.visible_array(user), related="tenant")
    tenants = [budget.tenant for budget in capped]
    known = standings([tenant.pk for tenant in tenants]) if tenants else {}
    return [(tenant, known[tenant.pk]) for tenant in tenants if tenant.pk in known]


def notices_of(budgets: Sequence[tuple[Tenant, Standing]]) -> list[Notice]:
    """What somebody has to know about the budgets of their tenants; nothing below 80 %."""
    return [
        Notice(
            tenant=tenant.name,
            used_usd=dollars(standing.spent + standing.in_flight),
            cap_usd=dollars(standing.cap),
            reached=standing.share >= 1 or standing.documents_wait,
        )
        for tenant, standing in budgets
        if standing.share >= NEARLY or standing.documents_wait
    ]


def dollars(micro_dollars: int) -> str:
    """The amount as people read it: in cents, below a dollar with as many more digits as it has."""
    if micro_dollars >= MICRO:
        return formats.number_format(round(Decimal(micro_dollars) / MICRO, 2), 2, force_grouping=True)
    cents = usd(micro_dollars).partition(".")[2].rstrip("0")
    return formats.number_format(Decimal(micro_dollars) / MICRO, max(2, len(cents)))


def shown(micro_dollars: int) -> str:
    """The amount with its currency."""
    return _("$%(usd)s") % {"usd": dollars(micro_dollars)}


@dataclass(frozen=True, slots=True)
class Month:
    """One month's sums over some tenants; `units` has a line for each region and kind of page."""

    month: date
    pages: int
    reused_pages: int
    micro_dollars: int
    uncertain_micro_dollars: int
    units: tuple[dict[str, Any], ...]


_MONTH = """
    SELECT region, unit, sum(pages)::bigint, sum(reused_pages)::bigint, sum(micro_dollars)::bigint, sum(uncertain_micro_dollars)::bigint
      FROM ocr_monthlycost
     WHERE month = $1::date AND ($2::uuid[] IS NULL OR tenant_id = ANY ($2::uuid[])) AND ($3::uuid IS NULL OR tenant_id = $3::uuid)
     GROUP BY region, unit ORDER BY region, unit
"""


def month(user: AnyUser, of: date | None = None, *, tenant_id: UUID | None = None) -> Month:
    """What the user's tenants (or the one named) spent in the month of that day, else in this one. Inside a scope."""
    first = (of or this_month()).replace(day=1)
    names = ("pages", "reused_pages", "micro_dollars", "uncertain_micro_dollars")
    lines = prepared.fetch(_MONTH, first, access.visible_array(user), tenant_id)
    units = tuple(
        {"region": region, "unit": unit} | dict(zip(names, sums, strict=True)) for region, unit, *sums in lines
    )
    return Month(month=first, units=units, **{name: sum(unit[name] for unit in units) for name in names})
