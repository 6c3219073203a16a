"""Pages of documents: each is a short walk along an index from where the last one ended, however long the list and deep the page.

Indexes begin with the tenant. For people of several tenants, and for filters that allow several values, the first rows of every
combination are looked up and merged: the database would otherwise sort, or walk past, all the others' documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from audit import prepared
from ocr import document_types
from ocr.models import Document
from tenants import access
from tenants.models import Tenant

if TYPE_CHECKING:
    from tenants.models import AnyUser

NEWEST = "-received_at"
MOST_COUNTED = 10_000  # a longer list's length is told as "10,000+"
MOST_SEARCHED = 20_000  # names are looked through that many documents back, in each tenant
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([ab])(\d{1,9})\.(-?\d{1,18})\.([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows of a list: after or before the row with this time and id; `rows` are before it."""

    after: bool
    rows: int
    at: datetime
    id: UUID

    def __str__(self) -> str:
        micros = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{'a' if self.after else 'b'}{self.rows}.{micros}.{self.id.hex}"

    @classmethod
    def of(cls, text: str) -> Place | None:
        """The place that the text names; None, which is the beginning, for one that was not made here."""
        found = _PLACE.fullmatch(text)
        try:
            return found and cls(
                after=found[1] == "a",
                rows=int(found[2]),
                at=_EPOCH + timedelta(microseconds=int(found[3])),
                id=UUID(found[4]),
            )
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list: its rows, how many come before, and the places where the neighbours lie."""

    rows: list[Document]
    before: int
    next: Place | None
    previous: Place | None


def tenants_of(user: AnyUser) -> list[UUID]:
    """The tenants whose documents `user` may see; inside a scope."""
    if not access.is_platform_admin(user):
        return list(access.roles_of(user))
    known: list[UUID] | None = getattr(user, "_all_tenants", None)  # once per request and user object, as roles are
    if known is None:
        found = prepared.fetch("SELECT id FROM tenants_tenant ORDER BY id")
        known = vars(user)["_all_tenants"] = [tenant_id for (tenant_id,) in found]
    return known


# For each tenant (and type) one walk along its index; what it finds is merged.
_HEADS = """
    SELECT head.id FROM unnest($1::uuid[]) AS tenant (id) {types}
     CROSS JOIN LATERAL (
         SELECT document.received_at, document.id FROM ocr_document AS document WHERE document.tenant_id = tenant.id{found}
          ORDER BY document.received_at {way}, document.id {way} LIMIT {count}
     ) AS head
     ORDER BY head.received_at {way}, head.id {way} LIMIT {count}
"""


@dataclass(frozen=True, slots=True)
class Received:
    """The documents of some tenants by when they were received, or those of them with this status, this priority, one of these types,
    or received since; `page` of it is a page."""

    tenants: Sequence[UUID]
    status: str = ""
    priority: int | None = None
    types: tuple[int, ...] | None = None
    since: datetime | None = None

    def page(self, *, size: int, place: str = "") -> Pages:
        """`place` is what an earlier page gave as next or previous; anything else is the beginning. Inside a scope."""
        return walk(self.first, size=size, key=NEWEST, place=place)

    def first(self, place: Place | None, order: tuple[str, str], count: int) -> list[UUID]:
        """The ids of the first `count` documents behind this place in this order."""
        statement, asked = self.statement(place, order, count)
        return [id_ for (id_,) in prepared.fetch(statement, *asked)]

    def statement(self, place: Place | None, order: tuple[str, str], count: int) -> tuple[str, list[Any]]:
        """What finds their ids, and what it asks for."""
        falls = order[0].startswith("-")
        asked: list[Any] = [prepared.array(self.tenants)]
        found = types = ""
        if self.types is not None:
            asked.append(prepared.array(self.types))
            types = f"CROSS JOIN unnest(${len(asked)}::bigint[]) AS type (id)"
            found = " AND document.document_type_id = type.id"
        for value, condition in (
            (self.status or None, "document.status = ${}::text"),
            (self.priority, "document.priority = ${}::int"),
            (self.since, "document.received_at >= ${}::timestamptz"),
        ):
            if value is not None:
                asked.append(value)
                found += f" AND {condition.format(len(asked))}"
        if place:
            asked += [place.at, str(place.id)]
            beyond = f"{'<' if falls else '>'} (${len(asked) - 1}::timestamptz, ${len(asked)}::uuid)"
            found += f" AND (document.received_at, document.id) {beyond}"
        return _HEADS.format(types=types, found=found, way="DESC" if falls else "ASC", count=int(count)), asked


def page(
    found: QuerySet[Document],
    tenants: Sequence[UUID],
    *,
    size: int,
    key: str = NEWEST,
    place: str = "",
    any_of: Sequence[Q] = (Q(),),
) -> Pages:
    """One page of what was found among these tenants and for any of these lookups, in the order of `key`, then of id.

    `place` is what an earlier page gave as next or previous; anything else is the beginning.
    """

    def first(start: Place | None, order: tuple[str, str], count: int) -> list[UUID]:
        beyond = found.filter(_beyond(start, order)) if start else found
        return _heads(beyond, tenants, order=order, count=count, any_of=any_of)

    return walk(first, size=size, key=key, place=place)


def walk(
    first: Callable[[Place | None, tuple[str, str], int], list[UUID]], *, size: int, key: str, place: str
) -> Pages:
    """One page of what `first` finds: the ids of at least as many documents behind a place, in an order, as it is asked for."""
    start = Place.of(place)
    backwards = start is not None and not start.after
    order = _order(key, backwards=backwards)
    rows = _loaded(first(start, order, size + 1), order)[: size + 1]
    more, rows = len(rows) > size, typed(rows[:size])
    before = 0
    if start:
        before = max(start.rows - len(rows), 0) if backwards else start.rows
    if backwards:
        rows.reverse()
    name = key.removeprefix("-")
    has_next, has_previous = (bool(rows), more) if backwards else (more, start is not None and bool(rows))
    return Pages(
        rows=rows,
        before=before,
        next=Place(after=True, rows=before + len(rows), at=getattr(rows[-1], name), id=rows[-1].pk)
        if has_next
        else None,
        previous=Place(after=False, rows=before, at=getattr(rows[0], name), id=rows[0].pk) if has_previous else None,
    )


def lean(found: QuerySet[Document]) -> QuerySet[Document]:
    """Without what no list shows of its documents and is long to read."""
    return found.defer(*_LONG)


_LONG = ("metadata", "review_reasons")


def _loaded(ids: list[UUID], order: tuple[str, str]) -> list[Document]:
    way = "DESC" if order[0].startswith("-") else "ASC"
    key = order[0].removeprefix("-")
    these = f"WHERE ocr_document.id = ANY ($1::uuid[]) ORDER BY ocr_document.{key} {way}, ocr_document.id {way}"
    return prepared.objects(Document, these, prepared.array(ids), related="tenant", without=_LONG)


def typed(rows: list[Document]) -> list[Document]:
    """The same, each with its document type, which every process has at hand; the database would send it once a row."""
    for document in rows:
        document.document_type = document_types.row(document.document_type_id) if document.document_type_id else None
    return rows


def _order(key: str, *, backwards: bool) -> tuple[str, str]:
    falls = key.startswith("-") is not backwards
    sign = "-" if falls else ""
    return f"{sign}{key.removeprefix('-')}", f"{sign}pk"


def _beyond(place: Place, order: tuple[str, str]) -> Q:
    """The first lookup is where the index walk begins; the second leaves out rows of the same time that were shown already."""
    name = order[0].removeprefix("-")
    way = "lt" if order[0].startswith("-") else "gt"
    return Q(**{f"{name}__{way}e": place.at}) & (Q(**{f"{name}__{way}": place.at}) | Q(**{f"pk__{way}": place.id}))


def heads(
    found: QuerySet[Document],
    tenants: Sequence[UUID],
    *,
    order: Sequence[str],
    count: int,
    any_of: Sequence[Q] = (Q(),),
) -> QuerySet[Document]:
    """`found` without what cannot be among its first `count` rows in this order."""
    if len(tenants) == 1 and len(any_of) == 1:
        return found.filter(any_of[0], tenant_id=tenants[0])
    return found.filter(pk__in=_heads(found, tenants, order=order, count=count, any_of=any_of))


def _heads(
    found: QuerySet[Document], tenants: Sequence[UUID], *, order: Sequence[str], count: int, any_of: Sequence[Q]
) -> list[UUID]:
    """The ids of the first `count` of each tenant for each lookup."""
    if len(tenants) == 1 and len(any_of) == 1:
        of_one = found.filter(any_of[0], tenant_id=tenants[0]).order_by(*order)
        return list(of_one.values_list("pk", flat=True)[:count])
    ids: list[UUID] = []
    for lookup in any_of:
        mine = found.filter(lookup, tenant=OuterRef("pk")).order_by(*order).values("pk")[:count]
        groups = Tenant.objects.filter(pk__in=tenants).order_by().annotate(heads=ArraySubquery(mine))
        ids += [id_ for group in groups.values_list("heads", flat=True) for id_ in group]
    return ids


def of_type(name: str) -> list[Q]:
    """Lookups for the document type of this name, one for each of its versions."""
    return [Q(document_type_id=version) for version in document_types.versions(name)]


def search(
    found: QuerySet[Document], tenants: Sequence[UUID], words: str
) -> tuple[QuerySet[Document], datetime | None]:
    """What has this id or external id; else what has the words in its file name, and since when names were looked through.

    None for since means that all were: parts of names are in no index, so the search ends MOST_SEARCHED documents back.
    """
    mine = found.filter(tenant_id__in=tenants)
    exact = [Q(external_id=words), *([Q(pk=_uuid(words))] if _uuid(words) else [])]
    for lookup in exact:
        if mine.filter(lookup).exists():
            return found.filter(lookup), None
    back = Document.objects.filter(tenant=OuterRef("pk")).order_by(NEWEST, "-pk").values("received_at")
    edges = Tenant.objects.filter(pk__in=tenants).order_by()
    since: datetime | None = edges.annotate(edge=Subquery(back[MOST_SEARCHED : MOST_SEARCHED + 1])).aggregate(
        since=Max("edge")
    )["since"]
    named = found.filter(filename__icontains=words)
    return (named.filter(received_at__gte=since) if since else named), since


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def total(found: QuerySet[Document], any_of: Sequence[Q] = (Q(),)) -> tuple[int, bool]:
    """How many were found, and whether there are more than this: nothing is counted beyond MOST_COUNTED."""
    lookups = Q()
    for lookup in any_of:
        lookups |= lookup
    some = found.filter(lookups) if any_of else found.none()
    return at_most(lambda most: some.order_by().values("pk")[:most].count())


def at_most(count: Callable[[int], int]) -> tuple[int, bool]:
    """What `count` counts up to a bound, and whether there are more than that: see `total`."""
    counted = count(MOST_COUNTED + 1)
    return min(counted, MOST_COUNTED), counted > MOST_COUNTED


def links(request: HttpRequest, pages: Pages, *, total: int | None, more: bool = False) -> dict[str, Any]:
    """What the pager under a list shows."""

    def url(place: Place | None) -> str:
        if place is None:
            return ""
        query = request.GET.copy()
        query["page"] = str(place)
        return f"?{query.urlencode()}"

    return {
        "first": pages.before + 1,
        "last": pages.before + len(pages.rows) if pages.rows else 0,
        "total": None if total is None else f"{total:,}{'+' if more else ''}",
        "next_url": url(pages.next),
        "previous_url": url(pages.previous),
    }
