"""What people did: who holds a document, what they typed so far, what they corrected and decided."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ocr.models import Document
from tenants.models import TenantOwned


class RejectReason(models.TextChoices):
    WRONG_TYPE = "wrong_type", _("Not this type of document")
    ILLEGIBLE = "illegible", _("Cannot be read")
    INCOMPLETE = "incomplete", _("Pages are missing")
    DUPLICATE = "duplicate", _("Already received")
    NOT_OURS = "not_ours", _("Not meant for us")
    OTHER = "other", _("Something else")


class Act(models.TextChoices):
    """What a person said about one field."""

    CONFIRMED = "confirmed", _("Confirmed")
    CORRECTED = "corrected", _("Corrected")
    ABSENT = "absent", _("Not on the page")
    UNREADABLE = "unreadable", _("Unreadable")
    MISSED = "missed", _("Missed by the engine")
    ADDED = "added", _("Row added")
    REMOVED = "removed", _("Row taken out")


class Source(models.TextChoices):
    """How the value that a person settled on came to be."""

    CONFIRMED = "confirmed", _("As the engine read it")
    CAPTURED = "captured", _("Words of the page")
    SUGGESTED = "suggested", _("One of the suggestions")
    TYPED = "typed", _("Typed")


class TakeoverReason(models.TextChoices):
    AWAY = "away", _("They are away")
    URGENT = "urgent", _("It cannot wait")
    MISTAKE = "mistake", _("It is with the wrong person")
    OTHER = "other", _("Something else")


class Claim(TenantOwned):
    """Who works on a document now. One row per document; it counts until `expires_at` on the database's clock."""

    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="claim")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.UUIDField(default=uuid.uuid4, unique=True)
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    # Kept for its holder to go on with, and not opened yet: nobody was shown it, so the trail does not tell of it either.
    reserved = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return f"{self.document_id} {self.holder_id}"


class Aside(TenantOwned):
    """A document that one person has set aside: it is not handed to them before `until`. Others may take it meanwhile."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="asides")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()
    times = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "holder"], name="aside_one_per_person")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.holder_id} {self.times}"


class Escalation(TenantOwned):
    """A document that was passed on to the supervisors: nobody else is handed it. It counts until the document is re-opened."""

    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="escalation")
    note = models.TextField(blank=True)
    escalated_by = models.CharField(max_length=160)
    escalated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.document_id} {self.escalated_by}"


class Assignment(TenantOwned):
    """A waiting document that a supervisor gave to one person: nobody else is handed it."""

    document = models.OneToOneField(Document, on_delete=models.CASCADE, related_name="assignment")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    assigned_by = models.CharField(max_length=160)
    assigned_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.document_id} {self.person_id}"


class Comment(TenantOwned):
    """A remark about a document or one of its fields, a question to a person, or the answer to one.

    A document with an open question is parked: nobody is handed it before the answer. Retention may empty the text.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="comments", db_index=False)
    field = models.CharField(max_length=120, blank=True)  # total, or line_items.3.amount; empty for the whole document
    text = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    written_at = models.DateTimeField()
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    answers = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["document"],
                condition=models.Q(asked__isnull=False, answered_at__isnull=True),
                name="comment_one_open_question",
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True) | models.Q(asked__isnull=False),
                name="comment_only_questions_are_answered",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True) | models.Q(text=""), name="comment_erased_is_empty"
            ),
        ]
        indexes = [
            models.Index(fields=["document", "id"], name="comment_of_document"),
            models.Index(
                fields=["asked"],
                condition=models.Q(asked__isnull=False, answered_at__isnull=True),
                name="comment_open_question",
            ),
            models.Index(fields=["written_at"], condition=models.Q(erased_at__isnull=True), name="comment_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} comment {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it asks somebody who has not answered yet."""
        return self.asked_id is not None and self.answered_at is None


class OwnReason(TenantOwned):
    """A reason for rejecting that a tenant wrote itself. One with any of its own is offered these instead of the usual ones."""

    code = models.SlugField(max_length=40)
    label = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("reason for rejecting")
        verbose_name_plural = _("reasons for rejecting")
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="own_reason_once")]

    def __str__(self) -> str:
        return self.label


class Check(TenantOwned):
    """What one of several people said of a version that is approved only when more than one has seen it.

    `said` is by the field's path: `{"act": ..., "value": ...}`. Holds values, as corrections do: retention may empty it.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="checks", db_index=False)
    version = models.PositiveIntegerField()
    number = models.PositiveSmallIntegerField()  # first, second or third
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reviewer = models.CharField(max_length=160)  # as the audit trail names them
    said = models.JSONField(default=dict)
    differs = models.JSONField(default=list)  # the fields in which the second differs from the first
    added_rows = models.JSONField(default=list)  # [number, below which row]; their cells are in `said`
    note = models.TextField(blank=True)
    checked_at = models.DateTimeField()
    settled_at = models.DateTimeField(
        null=True
    )  # when the document was decided; until then another person is waited for

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "version", "number"], name="check_number_once"),
            models.UniqueConstraint(fields=["document", "version", "person"], name="check_never_the_same_person"),
            models.CheckConstraint(condition=models.Q(number__in=[1, 2, 3]), name="check_number_known"),
        ]
        indexes = [
            models.Index(fields=["tenant", "document"], condition=models.Q(settled_at__isnull=True), name="check_open")
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.version} check {self.number}"


class Draft(TenantOwned):
    """What a reviewer has said so far about a document, kept until the decision. Holds values: retention may empty it."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="drafts")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    document_version = models.PositiveIntegerField()
    revision = models.PositiveIntegerField(default=1)
    fields = models.JSONField(default=dict)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "holder"], name="draft_one_per_person")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.holder_id} {self.revision}"


class Decision(TenantOwned):
    """One person's decision on one version of a document."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="decisions")
    version = models.PositiveIntegerField()  # the version that was decided on
    decision = models.CharField(max_length=10)
    reason = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    reviewer = models.CharField(max_length=160)
    decided_at = models.DateTimeField()
    # How everything stood that the decision changed: its fields by path, and the document's problems. Holds values, as corrections do.
    before = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "version"], name="decision_once_per_version"),
            models.CheckConstraint(condition=models.Q(decision__in=["approve", "reject"]), name="decision_known"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.version} {self.decision}"


class Correction(TenantOwned):
    """What one decision said about one field. The values live here, where retention may delete them."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="corrections")
    field = models.CharField(max_length=120)  # total, or line_items.3.amount
    act = models.CharField(max_length=12, choices=Act.choices)
    machine_value = models.TextField(null=True)  # noqa: DJ001  None is "no value", which is not an empty one
    value = models.TextField(null=True)  # noqa: DJ001
    source = models.CharField(max_length=10, choices=Source.choices, blank=True)
    # Where the value was taken from or stands: the engine's words, and the box on the page as the engine sees it.
    word_ids = models.JSONField(default=list)
    page = models.PositiveIntegerField(null=True)
    box = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decision", "field"], name="correction_once_per_field")]

    def __str__(self) -> str:
        return f"{self.field} {self.act}"


class LaneAnswer(TenantOwned):
    """What somebody said in a lane about one field of the version that they saw. Holds a value: retention may empty it."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lane_answers", db_index=False)
    version = models.PositiveIntegerField()
    field = models.CharField(max_length=120)
    act = models.CharField(max_length=12, choices=Act.choices)
    value = models.TextField(null=True)  # noqa: DJ001  None is "no value", which is not an empty one
    answered_by = models.CharField(max_length=160)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "version", "field"], name="lane_answer_once"),
            models.CheckConstraint(
                condition=models.Q(act__in=["confirmed", "corrected", "absent", "unreadable"]),
                name="lane_answer_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.field} {self.act}"


class Keyboard(models.Model):
    """How one person works the review screen by keys: what they changed of the table in the page, and whether single letters count."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="keyboard")
    chords = models.JSONField(default=dict)  # by command: {"approve": "Ctrl+Enter"}
    single_letters = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"keys of {self.user_id}"
