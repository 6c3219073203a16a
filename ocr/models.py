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


class TextLayer(models.TextChoices):
    """What became of a PDF's own text, where its tenant wants it read; '' where nobody does."""

    WANTED = "wanted", _("To be looked at")
    TAKEN = "taken", _("Read instead of the pages")
    UNSOUND = "unsound", _("Not usable")
    DIFFERS = "differs", _("Not what the pages show")
    UNCHECKED = "unchecked", _("Not checked")
    UNFIT = "unfit", _("Not enough for this type")


class DocumentType(models.Model):
    """One version of one document type. Versions are never changed: a document pins the one it was read with."""

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    label = models.CharField(max_length=80)
    definition = models.JSONField()
    digest = models.CharField(max_length=64, editable=False)
    source = models.TextField(blank=True, db_default="")  # the YAML as it was written, with its comments
    made_by = models.CharField(max_length=160, db_default="system")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="document_type_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Document(TenantOwned):
    """One received document. The row is the truth about it; the queue only rings a bell."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Most indexes below begin with the tenant; one of its own would be one more to write at every change.
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=20, choices=Status.choices)
    version = models.PositiveIntegerField(default=1)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    document_type = models.ForeignKey(
        DocumentType, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    type_given = models.BooleanField(default=False)  # by the uploader; otherwise found from the content

    operation = models.CharField(max_length=40, blank=True)  # Textract's, whose quota the next step needs; '' for none
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
    # A part of another document: which one, and its first page there. Its answer is that one's, cut.
    split_of = models.UUIDField(null=True)
    split_first = models.PositiveIntegerField(null=True)
    text_layer = models.CharField(max_length=10, choices=TextLayer.choices, blank=True, default="", db_default="")

    received_at = models.DateTimeField()
    turn_at = models.DateTimeField()  # received_at + TURN_AFTER[priority]: the order of all work on documents
    status_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)  # when the first result was there, straight through or for review
    finished_at = models.DateTimeField(null=True)

    # The work on it. `step` is what comes next; a worker holds the lease, and `fence` grows with every lease.
    step = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(null=True)
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
        ordering = ["-received_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="document_status_known"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="document_version_from_one"),
            models.CheckConstraint(condition=models.Q(priority__in=Priority.values), name="document_priority_known"),
            models.CheckConstraint(
                condition=~models.Q(status__in=["needs_review", "approved", "rejected", "failed"]) | models.Q(step=""),
                name="document_rests_without_step",
            ),
            models.UniqueConstraint(
                fields=["split_of", "split_first"],
                condition=models.Q(split_of__isnull=False),
                name="document_split_once",
            ),
            models.CheckConstraint(
                condition=models.Q(split_of__isnull=True, split_first__isnull=True)
                | models.Q(split_of__isnull=False, split_first__gte=1),
                name="document_split_whole",
            ),
        ]
        indexes = [
            # The lists: all, and by each filter that has few values. Every one ends like the list's order, so that a page is one
            # short walk wherever in the list it lies (ocr.listing merges those of several tenants).
            models.Index(fields=["tenant", "received_at", "id"], name="document_list"),
            models.Index(fields=["tenant", "status", "received_at", "id"], name="document_status"),
            models.Index(fields=["tenant", "priority", "received_at", "id"], name="document_priority"),
            models.Index(fields=["tenant", "document_type", "received_at", "id"], name="document_type"),
            # The review queue, in the order in which it is handed out.
            models.Index(
                fields=["tenant", "turn_at", "id"], condition=models.Q(status="needs_review"), name="document_waiting"
            ),
            models.Index(
                fields=["tenant", "priority", "turn_at", "id"],
                condition=models.Q(status="needs_review"),
                name="document_waiting_urgency",
            ),
            models.Index(fields=["reviewer", "decided_at"], condition=~models.Q(reviewer=""), name="document_decided"),
            models.Index(
                fields=["tenant", "operation", "priority", "turn_at"],
                condition=~models.Q(step=""),
                name="document_turn",
            ),
            models.Index(fields=["tenant"], condition=models.Q(lease_until__isnull=False), name="document_held"),
            models.Index(fields=["tenant", "sha256"], name="document_content"),
            models.Index(fields=["tenant", "external_id"], name="document_external"),
            models.Index(fields=["tenant", "finished_at"], name="document_finished"),
            models.Index(fields=["tenant"], condition=models.Q(error_code="monthly_cap"), name="document_over_cap"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Page(TenantOwned):
    """One page as the reviewer sees it: `rotation` is the clockwise turn that makes the delivered page upright."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="pages", db_index=False)
    number = models.PositiveIntegerField()
    rotation = models.PositiveSmallIntegerField(default=0)
    # How far a person turned it on from there, clockwise. Stored boxes do not know of it; what is shown does (ocr.pages).
    turn = models.PositiveSmallIntegerField(default=0, db_default=0)
    width = models.PositiveIntegerField(default=0)  # pixels of the rendered image; 0 until it is rendered
    height = models.PositiveIntegerField(default=0)
    image_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="page_once"),
            models.CheckConstraint(condition=models.Q(rotation__in=[0, 90, 180, 270]), name="page_rotation_known"),
            models.CheckConstraint(condition=models.Q(turn__in=[0, 90, 180, 270]), name="page_turn_known"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} page {self.number}"


OWN_TEXT = (
    "TextLayer"  # the operation of an extraction for which nothing was asked of Textract: the PDF's own text served
)


class Extraction(TenantOwned):
    """One extraction asked of Textract: its token is committed before the call, so a repeat is never billed again."""

    class State(models.TextChoices):
        PLANNED = "planned"
        STARTED = "started"
        COLLECTED = "collected"
        FAILED = "failed"

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="extractions", db_index=False)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    operation = models.CharField(max_length=40)
    features = models.JSONField(default=list)
    token = models.CharField(max_length=64, unique=True)
    # What a Start says besides (notification, output): kept with its token, since a repeat has to say the very same.
    job_options = models.JSONField(default=dict, db_default={})
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
    estimate_micro_dollars = models.PositiveBigIntegerField(
        default=0, db_default=0
    )  # set aside from the cap until it is charged or failed
    micro_dollars = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="extraction_once")]
        indexes = [
            models.Index(
                fields=["tenant"], condition=models.Q(state__in=["planned", "started"]), name="extraction_in_flight"
            )
        ]

    def __str__(self) -> str:
        return f"{self.document_id} extraction {self.number}"

    @property
    def is_free(self) -> bool:
        """Whether the answer was not Textract's to bill: an earlier one, or the PDF's own text."""
        return bool(self.reused_from) or self.operation == OWN_TEXT


class Quota(models.Model):
    """The token bucket of one Textract operation in one account and region, shared by every host. `ocr.quota` is its only writer
    besides the admin, who sets what AWS grants."""

    account = models.CharField(max_length=60)
    region = models.CharField(max_length=30)
    operation = models.CharField(max_length=60)
    granted = models.FloatField()  # calls a second that AWS grants
    share = models.FloatField(default=0.99)  # how much of that is used at most
    reserved = models.FloatField(default=0.2)  # the share of the bucket that only urgent work may empty
    jobs_granted = models.PositiveIntegerField(default=0)  # concurrent jobs that AWS grants; 0 where there are none
    rate = models.FloatField()  # calls a second at present: falls when AWS throttles, climbs back by itself
    peak = models.FloatField(default=0)  # the rate that AWS let through when it last throttled: what the climb aims at
    fell_from = models.FloatField(default=0)  # the rate at that time, and the share of calls that were refused
    fell_share = models.FloatField(default=0)
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


class PriceTable(models.Model):
    """One version of what pages cost in one group of regions. Never changed: other prices are a new version."""

    group = models.SlugField(max_length=30)
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    digest = models.CharField(max_length=64, editable=False)
    made_by = models.CharField(max_length=160, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["group", "-version"]
        constraints = [models.UniqueConstraint(fields=["group", "version"], name="price_table_version_once")]

    def __str__(self) -> str:
        return f"{self.group} {self.version}"


class Charge(TenantOwned):
    """One line of the ledger: what one extraction cost. Ids without foreign keys: the books outlive what was read."""

    class Kind(models.TextChoices):
        BILLED = "billed", _("Billed")
        REUSED = "reused", _("Read before")  # an earlier answer served: nothing was billed
        UNCERTAIN = "uncertain", _("Uncertain")  # the answer was lost: it may have been billed

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    document_id = models.UUIDField()
    extraction_id = models.BigIntegerField(unique=True)
    number = models.PositiveIntegerField()  # which extraction of the document, from 1
    kind = models.CharField(max_length=10, choices=Kind.choices)
    operation = models.CharField(max_length=40)
    features = models.JSONField(default=list)
    unit = models.CharField(max_length=80)  # what of the price table applied: TEXT, FORMS+TABLES, EXPENSE
    region = models.CharField(max_length=30)
    price_version = models.CharField(max_length=40)
    pages = models.PositiveIntegerField()
    unit_micro_dollars = models.PositiveBigIntegerField()  # of one page
    micro_dollars = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["billed", "reused", "uncertain"]), name="charge_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(micro_dollars=models.F("pages") * models.F("unit_micro_dollars")),
                name="charge_is_pages_times_price",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="reused") | models.Q(micro_dollars=0), name="charge_reused_costs_nothing"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-at"], name="charge_tenant_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.extraction_id}"


class MonthlyCost(TenantOwned):
    """The ledger's sums: one tenant, one calendar month (UTC), one region and unit. `ocr.costs` writes it with each charge."""

    month = models.DateField()  # its first day
    region = models.CharField(max_length=30)
    unit = models.CharField(max_length=80)
    pages = models.PositiveBigIntegerField(default=0)  # billed
    reused_pages = models.PositiveBigIntegerField(default=0)
    micro_dollars = models.PositiveBigIntegerField(default=0)  # billed
    uncertain_micro_dollars = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-month", "tenant", "unit"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "month", "region", "unit"], name="monthly_cost_once"),
            models.CheckConstraint(condition=models.Q(month__day=1), name="monthly_cost_from_the_first"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.unit}"


class Budget(TenantOwned):
    """What a tenant may spend in a month. Reaching it stops new documents, never reviewing. No row, or no cap: no limit."""

    cap_micro_dollars = models.PositiveBigIntegerField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="budget_once")]

    def __str__(self) -> str:
        return f"budget of {self.tenant_id}"


class Field(TenantOwned):
    """One field's current value. `row` is empty for the document's own fields and counts line items from 1."""

    # The document's own foreign key and the row's policy speak for the tenant: a check for each of a form's hundred rows would cost
    # more than writing them. The unique constraint below serves as the index.
    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="fields", db_index=False)
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
                condition=models.Q(
                    state__in=[
                        "certain",
                        "open",
                        "checked",
                        "corrected",
                        "absent",
                        "unreadable",
                        "missed",
                        "removed",
                    ]
                ),
                name="field_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """The field's name within its document: `total`, or `line_items.3.amount`."""
        return self.name if self.row is None else f"line_items.{self.row}.{self.name}"


class Witness(TenantOwned):
    """What another engine read in the pieces that the fields of one version were read from.

    `said` is by the field's path: `{"text": ..., "agrees": true, false or null}`; null where it could read nothing.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="witnesses", db_index=False)
    version = models.PositiveIntegerField()
    said = models.JSONField(default=dict)
    heard_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "version"], name="witness_once")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.version}"


class Artifact(TenantOwned):
    """One stored object: the upload, an answer of the engine, the words of the pages, the normalised result."""

    class Kind(models.TextChoices):
        ORIGINAL = "original"
        RAW = "raw"
        WORDS = "words"
        RESULT = "result"
        IMAGE = "image"

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="artifacts", db_index=False)
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
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.LOW)  # of rows without one
    total = models.PositiveIntegerField(default=0)
    max_concurrency = models.PositiveIntegerField()  # documents of this batch that are worked on at once
    tolerated_failure_percentage = models.FloatField()  # of all rows; beyond it nothing more is fed
    submitted_by = models.CharField(max_length=160)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    resumed_at = models.DateTimeField()  # since when it runs without a pause: the rate is measured from here
    finished_at = models.DateTimeField(null=True)  # no row is open any more
    counts = models.JSONField(default=dict)  # of its rows by state, once it is finished; while it runs they are counted
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
            models.CheckConstraint(condition=models.Q(priority__in=Priority.values), name="batch_priority_known"),
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
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, null=True)  # none: the batch's
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


class ReplayRun(models.Model):
    """Many stored answers read again, of one tenant or of all. ocr.replays is its only writer; it holds ids, names and counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wishes = models.JSONField(default=dict)  # what was asked for, to be told again
    apply = models.BooleanField(default=False)
    asked_type = models.ForeignKey(DocumentType, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    types = models.JSONField(
        default=list
    )  # keys of the versions that were the newest when it began: they hold to its end
    documents = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=1)  # grows when it is resumed: what was taken before is taken again
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return str(self.id)


class ReplayChunk(TenantOwned):
    """Some documents of a replay, read by one process and written in one transaction with what became of them."""

    class State(models.TextChoices):
        PLANNED = "planned"
        WRITTEN = "written"  # applied, and the results not surely stored yet
        DONE = "done"

    run = models.ForeignKey(ReplayRun, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    fence = models.PositiveIntegerField(default=0)  # the run's, when a process took it
    documents = models.JSONField(default=list)  # their ids, in the order of the run; empty when it is done
    told = models.JSONField(default=dict)  # counts, see ocr.replays
    digests = models.BinaryField(default=bytes)  # SHA-256 of each document's reading, one after the other

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="replay_chunk_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["planned", "written", "done"]), name="replay_chunk_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} chunk {self.number}"


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
    withdrawn_at = models.DateTimeField(null=True)  # what it tells of was taken back before it went out; it never will

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


class Uncounted(TenantOwned):
    """A document as it was before (sign -1) or after (+1) a change, until ocr.tallies has counted it. Written by a trigger only.

    Appending is what many writers can do at once; adding to the same sums would have them wait for each other.
    """

    # No key to be looked up at every append: the document beside it has one.
    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    sign = models.SmallIntegerField()
    at = models.DateTimeField()  # when the document came to stand there, or left
    status = models.CharField(max_length=20)
    priority = models.PositiveSmallIntegerField()
    received_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    straight_through = models.BooleanField(null=True)
    review_reasons = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "uncounted"

    def __str__(self) -> str:
        return f"{self.sign:+d} {self.status}"


class Tally(TenantOwned):
    """How many documents of one kind fell into one span of time, and how long they took together. ocr.tallies is its only writer."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="+", db_index=False)
    span = models.PositiveSmallIntegerField()  # minutes; 0 for what is so now
    at = models.DateTimeField()  # when the span begins
    name = models.CharField(max_length=60)
    bin = models.SmallIntegerField(
        default=0
    )  # durations by their length, see ocr.tallies; of what is so now the priority
    n = models.BigIntegerField(default=0)
    micros = models.BigIntegerField(default=0)  # microseconds, summed

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["tenant", "span", "at", "name", "bin"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.at} {self.n}"


class PlatformTally(models.Model):
    """The sums of all tenants together, for whoever sees all of them: told from each tenant's they would cost more with each tenant."""

    span = models.PositiveSmallIntegerField()  # this and the rest as in Tally
    at = models.DateTimeField()
    name = models.CharField(max_length=60)
    bin = models.SmallIntegerField(default=0)
    n = models.BigIntegerField(default=0)
    micros = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "platform tallies"
        constraints = [models.UniqueConstraint(fields=["span", "at", "name", "bin"], name="platform_tally_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.at} {self.n}"


class Beat(models.Model):
    """When each kind of process last did work: liveness is a task that ran, not a process that exists."""

    name = models.CharField(max_length=200, primary_key=True)  # what@host, since each host is watched by itself
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
