"""What is stored about documents, and the constraints that hold whatever the code above does."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantOwned


class Status(models.TextChoices):
    """Where a document stands; ocr.lifecycle says what may follow what."""

    RECEIVED = "received", _("Received")
    READING = "reading", _("Being read")
    NEEDS_REVIEW = "needs_review", _("Needs review")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    FAILED = "failed", _("Failed")


class Priority(models.IntegerChoices):
    HIGH = 0, _("High")
    NORMAL = 1, _("Normal")
    LOW = 2, _("Low")


# How much later than it arrived a document's turn comes. One key for work and review: a low one is passed for an hour, never for ever.
TURN_AFTER = {Priority.HIGH: timedelta(0), Priority.NORMAL: timedelta(minutes=10), Priority.LOW: timedelta(minutes=60)}


class Source(models.TextChoices):
    PAGE = "page", _("Browser")
    API = "api", _("REST")
    S3 = "s3", _("S3")
    BATCH = "batch", _("Batch")
    SAMPLE = "sample", _("Sample")


class DocumentType(models.Model):
    """One version of one document type. Versions are never changed: a document pins the one it was read with."""

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    label = models.CharField(max_length=80)
    definition = models.JSONField()
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="document_type_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Document(TenantOwned):
    """One received document. The row is the truth about it; the queue only rings a bell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=20, choices=Status.choices)
    version = models.PositiveIntegerField(default=1)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    document_type = models.ForeignKey(DocumentType, null=True, on_delete=models.PROTECT, related_name="+")
    type_given = models.BooleanField(default=False)  # by the uploader; otherwise found from the content

    external_id = models.CharField(max_length=200, blank=True)
    filename = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)
    source = models.CharField(max_length=10, choices=Source.choices)
    received_by = models.CharField(max_length=160)
    request_id = models.CharField(max_length=64, blank=True)
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    page_count = models.PositiveIntegerField()
    duplicate_of = models.UUIDField(null=True)

    received_at = models.DateTimeField()
    turn_at = models.DateTimeField()  # received_at + TURN_AFTER[priority]: the order of all work on documents
    status_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)  # when the first result was there, straight through or for review
    finished_at = models.DateTimeField(null=True)

    # The work on it. `step` is what comes next; a worker holds the lease, and `fence` grows with every lease.
    step = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)

    # The outcome
    problems = models.JSONField(default=list)  # those of the document as a whole; fields hold their own
    review_reasons = models.JSONField(default=list)  # codes: why a person was needed
    straight_through = models.BooleanField(null=True)
    decision = models.CharField(max_length=10, blank=True)
    decision_reason = models.CharField(max_length=40, blank=True)
    reviewer = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-received_at", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="document_status_known"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="document_version_from_one"),
            models.CheckConstraint(condition=models.Q(priority__in=Priority.values), name="document_priority_known"),
            models.CheckConstraint(
                condition=~models.Q(status__in=["needs_review", "approved", "rejected", "failed"]) | models.Q(step=""),
                name="document_rests_without_step",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-received_at", "id"], name="document_list"),
            models.Index(
                fields=["priority", "received_at"], condition=models.Q(status="needs_review"), name="document_waiting"
            ),
            models.Index(fields=["due_at"], condition=~models.Q(step=""), name="document_due"),
            models.Index(fields=["tenant", "turn_at"], condition=~models.Q(step=""), name="document_turn"),
            models.Index(fields=["tenant", "sha256"], name="document_content"),
            models.Index(fields=["tenant", "external_id"], name="document_external"),
            models.Index(fields=["tenant", "finished_at"], name="document_finished"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Page(TenantOwned):
    """One page as the reviewer sees it: `rotation` is the clockwise turn that makes the delivered page upright."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveIntegerField()
    rotation = models.PositiveSmallIntegerField(default=0)
    width = models.PositiveIntegerField(default=0)  # pixels of the rendered image; 0 until it is rendered
    height = models.PositiveIntegerField(default=0)
    image_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="page_once"),
            models.CheckConstraint(condition=models.Q(rotation__in=[0, 90, 180, 270]), name="page_rotation_known"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} page {self.number}"


class Extraction(TenantOwned):
    """One extraction asked of Textract: its token is committed before the call, so a repeat is never billed again."""

    class State(models.TextChoices):
        PLANNED = "planned"
        STARTED = "started"
        COLLECTED = "collected"
        FAILED = "failed"

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="extractions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    operation = models.CharField(max_length=40)
    features = models.JSONField(default=list)
    token = models.CharField(max_length=64, unique=True)
    job_id = models.CharField(max_length=64, blank=True)
    model_version = models.CharField(max_length=40, blank=True)
    pages = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list)
    polls = models.PositiveIntegerField(default=0)
    parts = models.PositiveIntegerField(default=0)  # how many pages of the answer are stored so far
    next_token = models.CharField(max_length=1024, blank=True)  # where the answer goes on
    sent_fence = models.PositiveIntegerField(
        default=0
    )  # under which lease a synchronous call was sent: names its object
    started_at = models.DateTimeField(null=True)
    collected_at = models.DateTimeField(null=True)
    charge_uncertain = models.BooleanField(
        default=False
    )  # a synchronous call whose answer was lost: no token exists there
    reused_from = models.UUIDField(null=True)  # the document whose stored answer serves this one: nothing was billed
    micro_dollars = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="extraction_once")]

    def __str__(self) -> str:
        return f"{self.document_id} extraction {self.number}"


class Quota(models.Model):
    """The token bucket of one Textract operation in one account and region, shared by every host. `ocr.quota` is its only writer
    besides the admin, who sets what AWS grants."""

    account = models.CharField(max_length=60)
    region = models.CharField(max_length=30)
    operation = models.CharField(max_length=60)
    granted = models.FloatField()  # calls a second that AWS grants
    share = models.FloatField(default=0.98)  # how much of that is used at most
    reserved = models.FloatField(default=0.3)  # the share of the bucket that only urgent work may empty
    jobs_granted = models.PositiveIntegerField(default=0)  # concurrent jobs that AWS grants; 0 where there are none
    rate = models.FloatField()  # calls a second at present: falls when AWS throttles, climbs back by itself
    peak = models.FloatField(default=0)  # the rate that AWS last refused
    tokens = models.FloatField(default=0)
    filled_at = models.DateTimeField()
    throttled_at = models.DateTimeField(null=True)
    throttles = models.PositiveBigIntegerField(default=0)
    jobs_full_until = models.DateTimeField(null=True)  # after "too many open jobs" half of the jobs are used until then
    stopped_code = models.CharField(
        max_length=40, blank=True
    )  # a configuration error: nothing is sent before the next probe
    stopped_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "operation"], name="quota_once"),
            models.CheckConstraint(condition=models.Q(granted__gt=0), name="quota_granted_positive"),
            models.CheckConstraint(condition=models.Q(share__gt=0, share__lte=1), name="quota_share_of_one"),
            models.CheckConstraint(condition=models.Q(reserved__gte=0, reserved__lt=1), name="quota_reserved_of_one"),
        ]
        ordering = ["account", "region", "operation"]
        verbose_name_plural = "quotas"

    def __str__(self) -> str:
        return f"{self.operation} {self.region}"


class Field(TenantOwned):
    """One field's current value. `row` is empty for the document's own fields and counts line items from 1."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="fields")
    row = models.PositiveIntegerField(null=True)
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    label = models.CharField(max_length=200)
    group = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=20)
    value = models.TextField(null=True)  # noqa: DJ001  None is "no value", which is not an empty one
    text = models.TextField(blank=True)
    machine_value = models.TextField(null=True)  # noqa: DJ001
    confidence = models.FloatField(null=True)
    word_confidence = models.FloatField(null=True)
    mean_word_confidence = models.FloatField(null=True)
    page = models.PositiveIntegerField(null=True)
    box = models.JSONField(null=True)
    word_ids = models.JSONField(default=list)
    source = models.CharField(max_length=10)
    why = models.CharField(max_length=30, blank=True)
    state = models.CharField(max_length=12)
    required = models.BooleanField(default=False)
    threshold = models.FloatField()
    sensitivity = models.CharField(max_length=12, default="internal")
    problems = models.JSONField(default=list)
    suggestions = models.JSONField(default=list)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["document", "row", "name"], name="field_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=models.Q(state__in=["certain", "open", "checked", "corrected", "absent", "unreadable"]),
                name="field_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """The field's name within its document: `total`, or `line_items.3.amount`."""
        return self.name if self.row is None else f"line_items.{self.row}.{self.name}"


class Artifact(TenantOwned):
    """One stored object: the upload, an answer of the engine, the words of the pages, the normalised result."""

    class Kind(models.TextChoices):
        ORIGINAL = "original"
        RAW = "raw"
        WORDS = "words"
        RESULT = "result"
        IMAGE = "image"

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="artifacts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.PositiveIntegerField(default=1)  # extraction, version or page, by kind
    part = models.PositiveIntegerField(default=1)
    first_page = models.PositiveIntegerField(null=True)  # which pages a part of an answer holds; unknown: look into it
    last_page = models.PositiveIntegerField(null=True)
    key = models.CharField(max_length=300, unique=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number", "part"]
        constraints = [
            models.UniqueConstraint(fields=["document", "kind", "number", "part"], name="artifact_once"),
            models.CheckConstraint(condition=models.Q(part__gte=1), name="artifact_part_from_one"),
        ]

    def __str__(self) -> str:
        return self.key


class Batch(TenantOwned):
    """Many documents asked for in one manifest. Its rows are the truth about the work; ocr.batches is its only writer."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        STOPPED = "stopped", _("Stopped: too many rows failed")
        CANCELLED = "cancelled", _("Cancelled")
        COMPLETED = "completed", _("Completed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    name = models.CharField(max_length=255, blank=True)  # the manifest's file name
    total = models.PositiveIntegerField(default=0)
    max_concurrency = models.PositiveIntegerField()  # documents of this batch that are worked on at once
    tolerated_failure_percentage = models.FloatField()  # of all rows; beyond it nothing more is fed
    submitted_by = models.CharField(max_length=160)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    resumed_at = models.DateTimeField()  # since when it runs without a pause: the rate is measured from here
    finished_at = models.DateTimeField(null=True)  # no row is open any more
    # One feeder at a time; `fence` grows with every one, and a late feeder's rows name an older one.
    fed_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["running", "paused", "stopped", "cancelled", "completed"]),
                name="batch_status_known",
            ),
            models.CheckConstraint(condition=models.Q(max_concurrency__gte=1), name="batch_concurrency_from_one"),
            models.CheckConstraint(
                condition=models.Q(tolerated_failure_percentage__gte=0, tolerated_failure_percentage__lte=100),
                name="batch_tolerance_percent",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="completed") | models.Q(finished_at__isnull=False),
                name="batch_completed_is_finished",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "id"], name="batch_list"),
            models.Index(fields=["created_at"], condition=models.Q(finished_at__isnull=True), name="batch_open"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class BatchItem(TenantOwned):
    """One row of a manifest: where its file is, what was said about it, and the document that it became."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        FEEDING = "feeding", _("Being fetched")
        SUBMITTED = "submitted", _("Being read")
        DONE = "done", _("Read")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    row = models.PositiveIntegerField()  # counts from 1 in the order of the manifest
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    bucket = models.CharField(max_length=63, blank=True)
    key = models.CharField(max_length=1024, blank=True)
    object_version = models.CharField(max_length=1024, blank=True)
    source_document_id = models.UUIDField(null=True)  # instead of bucket and key: the earlier document to read again
    external_id = models.CharField(max_length=200, blank=True)
    document_type = models.CharField(max_length=60, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.LOW)
    metadata = models.JSONField(default=dict)
    document = models.OneToOneField(Document, null=True, on_delete=models.SET_NULL, related_name="batch_item")
    fence = models.PositiveIntegerField(default=0)  # of the feeder that took it last
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  # not before this, after a fetch that is worth repeating
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "row"], name="batch_row_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "feeding", "submitted", "done", "failed", "cancelled"]),
                name="batch_item_state_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["pending", "feeding", "cancelled"]) | models.Q(document__isnull=True),
                name="batch_item_document_when_submitted",
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "state", "row"], name="batch_item_state"),
            models.Index(fields=["batch", "settled_at"], name="batch_item_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} row {self.row}"


class OutboxEvent(TenantOwned):
    """One event to announce, written in the transaction of the change it tells of; its id stays the same at every retry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=40)
    document_id = models.UUIDField(null=True)
    batch_id = models.UUIDField(null=True)
    version = models.PositiveIntegerField(null=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)  # given up after the last retry; shown, and can be sent again by hand

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["document_id", "version"],
                condition=models.Q(version__isnull=False),
                name="outbox_one_event_per_version",
            ),
            models.UniqueConstraint(
                fields=["batch_id"], condition=models.Q(type="batch.completed"), name="outbox_batch_completed_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(delivered_at__isnull=True, dead_at__isnull=True),
                name="outbox_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class IdempotencyKey(TenantOwned):
    """The first answer to a POST that carried this key; the same request gets it again, another one is refused."""

    key = models.CharField(max_length=255)
    route = models.CharField(max_length=60)
    body_sha256 = models.CharField(max_length=64)
    document_id = models.UUIDField(null=True)
    answer = models.JSONField()
    status_code = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.route} {self.pk}"


class Beat(models.Model):
    """When each kind of process last did work: liveness is a task that ran, not a process that exists."""

    name = models.CharField(max_length=200, primary_key=True)  # what@host, since each host is watched by itself
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
