"""Giving waiting documents to people: a supervisor assigns many at once, spreads them evenly, or frees them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit import trail
from audit.models import Kind
from ocr.models import Document, Status
from review.models import Assignment, Claim
from tenants import access
from tenants.models import Membership

if TYPE_CHECKING:
    from tenants.models import AnyUser

MOST = 500  # documents at once


class Unfit(ValueError):
    """The documents cannot be given like that; the sentence says what to do."""


def reviewers(tenants: Iterable[UUID]) -> dict[UUID, list[User]]:
    """Who reviews in each of these tenants, by user name."""
    wanted = list(tenants)
    found: dict[UUID, list[User]] = {tenant: [] for tenant in wanted}
    roles = Membership.objects.filter(
        tenant_id__in=wanted, role__in=access.ABILITIES["review"], user__is_active=True
    ).select_related("user")
    for membership in roles.order_by("user__username"):
        if membership.user not in found[membership.tenant_id]:
            found[membership.tenant_id].append(membership.user)
    return found


def assign(document_ids: Sequence[UUID], user: AnyUser, *, person_id: int) -> int:
    """Give these documents to one person; how many were given. Those that no longer wait are passed over.

    Raises access.NotAllowed, Unfit.
    """

    def to_them(document: Document, of_tenant: Sequence[User]) -> User:
        person = next((each for each in of_tenant if each.pk == person_id), None)
        if person is None:
            raise Unfit(
                _("This person does not review in the tenant of every document. Choose fewer, or somebody else.")
            )
        return person

    return _give(document_ids, user, to_them)


def spread(document_ids: Sequence[UUID], user: AnyUser) -> int:
    """Give these documents to all who review in their tenant, as evenly as can be. Raises access.NotAllowed, Unfit."""
    turns: dict[UUID, Any] = {}

    def to_the_next(document: Document, of_tenant: Sequence[User]) -> User:
        if not of_tenant:
            raise Unfit(_("Nobody reviews in the tenant of one of these documents. Give somebody the role first."))
        person: User = next(turns.setdefault(document.tenant_id, cycle(of_tenant)))
        return person

    return _give(document_ids, user, to_the_next)


def free(document_ids: Sequence[UUID], user: AnyUser) -> int:
    """Have these documents handed to whoever comes, as before they were assigned. Raises access.NotAllowed."""
    with access.scope_of(user):
        documents = _supervised(document_ids, user)
        given = Assignment.objects.filter(document__in=documents).select_related("document").select_for_update()
        before = {each.document_id: each for each in given}
        Assignment.objects.filter(pk__in=[each.pk for each in before.values()]).delete()
        trail.record_all([_entry(each.document, user, before, None) for each in before.values()])
    return len(before)


def forget(document: Document) -> None:
    """The document is nobody's in particular any more: it was decided, or goes to other people."""
    Assignment.objects.filter(document=document).delete()


def _give(document_ids: Sequence[UUID], user: AnyUser, choose: Callable[[Document, Sequence[User]], User]) -> int:
    with access.scope_of(user):
        documents = _supervised(document_ids, user)
        of_tenants = reviewers({document.tenant_id for document in documents})
        before = {each.document_id: each for each in Assignment.objects.filter(document__in=documents)}
        chosen = [(document, choose(document, of_tenants[document.tenant_id])) for document in documents]
        Assignment.objects.bulk_create(
            [
                Assignment(
                    tenant_id=document.tenant_id,
                    document=document,
                    person=person,
                    assigned_by=access.actor_of(user),
                    assigned_at=Now(),
                )
                for document, person in chosen
            ],
            update_conflicts=True,
            unique_fields=["document"],
            update_fields=["person", "assigned_by", "assigned_at"],
        )
        _unreserve(chosen)
        trail.record_all([_entry(document, user, before, person) for document, person in chosen])
    return len(chosen)


def _unreserve(chosen: Sequence[tuple[Document, User]]) -> None:
    """What is only reserved for somebody else, and not open, is theirs no more."""
    persons = {document.pk: person.pk for document, person in chosen}
    reserved = Claim.objects.filter(document__in=persons, reserved=True)
    others = [each.pk for each in reserved if each.holder_id != persons[each.document_id]]
    Claim.objects.filter(pk__in=others, reserved=True).delete()


def _supervised(document_ids: Sequence[UUID], user: AnyUser) -> list[Document]:
    """The waiting ones, their rows locked in the order of the queue."""
    if not document_ids:
        raise Unfit(_("Choose at least one document."))
    if len(document_ids) > MOST:
        raise Unfit(_("Choose at most %(n)s documents at once.") % {"n": MOST})
    waiting = Document.objects.visible_to(user).filter(pk__in=document_ids, status=Status.NEEDS_REVIEW)
    documents: list[Document] = list(waiting.order_by("turn_at", "pk").select_for_update(of=("self",)))
    for tenant_id in {document.tenant_id for document in documents}:
        access.check(user, "supervise", tenant_id)
    return documents


def _entry(document: Document, user: AnyUser, before: dict[UUID, Assignment], person: User | None) -> trail.Entry:
    codes: dict[str, object] = {"person": person.pk} if person else {}
    if document.pk in before:
        codes["previous_holder"] = before[document.pk].person_id
    return trail.Entry(
        kind=Kind.ASSIGNED,
        tenant_id=document.tenant_id,
        document_id=document.pk,
        actor=access.actor_of(user),
        step="assign" if person else "free",
        codes=codes,
    )
