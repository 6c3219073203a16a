"""What people say to each other about a document: remarks, questions to somebody (`@name`), and their answers.

A question parks its document: nobody is handed it, and nobody decides it, before the answer. The audit trail knows who asked whom
about which field; the words stand in the comment's row alone, where retention may empty them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import formats
from django.utils.translation import gettext as _

from audit import prepared, trail
from audit.models import Kind
from ocr import lifecycle
from ocr.models import Document, Status
from review.models import Claim, Comment
from tenants import access, scope

if TYPE_CHECKING:
    from tenants.models import AnyUser

LONGEST = 2000  # characters
_MENTION = re.compile(r"(?<![\w@])@([\w.+-]+(?:@[\w.-]+)?)")
_STEP = 500  # texts emptied in one transaction


class Parked(lifecycle.NotPossible):
    """Somebody was asked about the document and has not answered yet."""

    code = "parked"


class Unsaid(ValueError):
    """The comment cannot be taken; the sentence says why."""

    code = "comment_refused"


def check_answered(document: Document) -> None:
    """Raise Parked while a question about the document is open."""
    if not prepared.fetch(_IS_ASKED, document.pk):
        return
    question = open_question(document)
    if question and question.asked:
        raise Parked(
            _("The document waits for an answer from %(name)s. It can be decided after that.")
            % {"name": name_of(question.asked)}
        )


_IS_ASKED = """
    SELECT 1 FROM review_comment WHERE document_id = $1::uuid AND asked_id IS NOT NULL AND answered_at IS NULL LIMIT 1
"""


def open_question(document: Document) -> Comment | None:
    found: Comment | None = _open().select_related("author", "asked").filter(document=document).first()
    return found


def of(document: Document) -> list[Comment]:
    """Everything that was said about the document, oldest first."""
    if not prepared.fetch("SELECT 1 FROM review_comment WHERE document_id = $1::uuid LIMIT 1", document.pk):
        return []
    return list(Comment.objects.filter(document=document).select_related("author", "asked", "answers"))


def concerns(comment: Comment, user: AnyUser) -> bool:
    """Whether it is theirs: written by them, asked of them, or the answer to a question of theirs."""
    return user.pk in {comment.author_id, comment.asked_id, comment.answers.author_id if comment.answers else None}


def people(document: Document) -> list[User]:
    """Who can be asked about the document: the active people of its tenant."""
    of_tenant = "WHERE is_active AND id IN (SELECT user_id FROM tenants_membership WHERE tenant_id = $1::uuid)"
    return prepared.objects(User, f"{of_tenant} ORDER BY username LIMIT 200", document.tenant_id)


def name_of(person: User | None) -> str:
    """The name of whoever wrote or was asked; nobody's is empty."""
    return (person.get_full_name() or person.get_username()) if person else ""


def questions_for(user: AnyUser, supervised: list[UUID]) -> QuerySet[Comment]:
    """The open questions that `user` was asked, asked, or supervises."""
    mine = Q(asked_id=user.pk) | Q(author_id=user.pk) | Q(tenant_id__in=supervised)
    found: QuerySet[Comment] = _open().filter(mine)
    return found


def asked_of(user: AnyUser) -> int:
    """How many questions wait for this person's answer."""
    found: int = _open().filter(asked_id=user.pk, document__status=Status.NEEDS_REVIEW).count()
    return found


def may_answer(question: Comment, user: AnyUser) -> bool:
    """Whoever was asked answers; whoever asked, or supervises, may end the waiting too."""
    return user.pk in {question.asked_id, question.author_id} or access.can(user, "supervise", question.tenant_id)


def write(document_id: UUID, user: AnyUser, *, field: str, text: str) -> Comment:
    """A remark; with `@name` in it a question to that person, which parks the document and gives up the asker's claim.

    Raises Document.DoesNotExist, access.NotAllowed, lifecycle.NotPossible, Unsaid.
    """
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        access.check(user, "review", document.tenant_id)
        _check_said(document, field, text)
        asked = _asked(document, user, text)
        if asked:
            _park(document, user)
        made = _keep(document, user, field=field, text=text, asked=asked)
        _tell(made, "ask" if asked else "remark", user)
    return made


def answer(document_id: UUID, user: AnyUser, *, text: str) -> Comment:
    """The answer to the document's open question, which is everybody's again.

    Raises Document.DoesNotExist, access.NotAllowed, lifecycle.NotPossible when no question is open, Unsaid.
    """
    with access.scope_of(user):
        document = lifecycle.locked(document_id, user)
        question = open_question(document)
        if question is None:
            raise lifecycle.NotPossible(_("No question about this document is open. Load it again."))
        if not may_answer(question, user):
            raise access.NotAllowed(
                _("%(name)s was asked. They, or a supervisor, can answer.") % {"name": name_of(question.asked)}
            )
        _check_said(document, question.field, text)
        Comment.objects.filter(pk=question.pk).update(answered_at=Now())
        made = _keep(document, user, field=question.field, text=text, answers=question)
        _tell(made, "answer", user)
    return made


def erase_older(age: timedelta) -> int:
    """Empty the text of every comment older than this, with an audit row for each; how many there were. Safe to run twice."""
    gone = 0
    while step := _erase_some(age):
        gone += step
    return gone


def _erase_some(age: timedelta) -> int:
    with scope.everything():
        old = Comment.objects.filter(written_at__lt=Now() - age, erased_at=None)
        some = list(old.select_for_update(skip_locked=True).order_by("document_id", "id")[:_STEP])
        Comment.objects.filter(pk__in=[each.pk for each in some]).update(text="", erased_at=Now())
        trail.record_all(
            [
                trail.Entry(
                    kind=Kind.ERASED,
                    tenant_id=each.tenant_id,
                    document_id=each.document_id,
                    actor="system",
                    step="comment",
                    codes={"comment": each.pk},
                )
                for each in some
            ]
        )
    return len(some)


def _open() -> Any:
    return Comment.objects.filter(asked__isnull=False, answered_at=None)


def _check_said(document: Document, field: str, text: str) -> None:
    if not text.strip():
        raise Unsaid(_("Write something first."))
    if len(text) > LONGEST:
        raise Unsaid(
            _("Write at most %(n)s characters.") % {"n": formats.number_format(LONGEST, 0, force_grouping=True)}
        )
    if field and field not in {row.path for row in document.fields.all()}:
        raise Unsaid(_("The document has no such field any more. Load it again."))


def _asked(document: Document, user: AnyUser, text: str) -> User | None:
    """The person whom the text asks: the first one it names."""
    found = _MENTION.search(text)
    if found is None:
        return None
    name = found[1].rstrip(".-+").casefold()
    by_name = {person.get_username().casefold(): person for person in people(document)}
    if name not in by_name:
        raise Unsaid(
            _("Nobody here is called @%(name)s. Choose one of the people who are offered, or leave out the @.")
            % {"name": found[1]}
        )
    if by_name[name].pk == user.pk:
        raise Unsaid(_("You cannot ask yourself. Name somebody else, or leave out the @."))
    return by_name[name]


def _park(document: Document, user: AnyUser) -> None:
    """The document waits for an answer: whoever asks gives it back, and nobody else may be at work on it."""
    if document.status != Status.NEEDS_REVIEW:
        raise lifecycle.NotPossible(_("Only a document that waits for review can wait for an answer. Leave out the @."))
    check_answered(document)
    held = Claim.objects.filter(document=document, expires_at__gte=Now()).first()
    if held and held.holder_id != user.pk and not held.reserved:
        raise lifecycle.NotPossible(_("Somebody else is working on this document. Ask when they have left it."))
    if held:
        held.delete()
    if held and not held.reserved:
        trail.record(
            Kind.RELEASED,
            tenant_id=document.tenant_id,
            document_id=document.pk,
            actor=access.actor_of(user),
            step="ask",
        )


def _keep(
    document: Document,
    user: AnyUser,
    *,
    field: str,
    text: str,
    asked: User | None = None,
    answers: Comment | None = None,
) -> Comment:
    made: Comment = Comment.objects.create(
        tenant_id=document.tenant_id,
        document=document,
        field=field,
        text=text.strip(),
        author_id=int(user.pk or 0),
        written_at=lifecycle.database_now(),
        asked=asked,
        answers=answers,
    )
    return made


def _tell(made: Comment, step: str, user: AnyUser) -> None:
    codes: dict[str, object] = {"comment": made.pk, "field": made.field}
    if made.asked_id:
        codes["person"] = made.asked_id
    trail.record(
        Kind.COMMENTED,
        tenant_id=made.tenant_id,
        document_id=made.document_id,
        actor=access.actor_of(user),
        step=step,
        codes=codes,
    )
