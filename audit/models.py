"""The audit trail's rows. Ids are text and there are no foreign keys: the trail outlives what it describes."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What happened. A new kind needs a label here and a row in docs/audit.md."""

    INGESTED = "INGESTED", _("Received")
    WORKFLOW_STARTED = "WORKFLOW_STARTED", _("Queued for reading")
    TEXTRACT_STARTED = "TEXTRACT_STARTED", _("Reading started")
    TEXTRACT_SUCCEEDED = "TEXTRACT_SUCCEEDED", _("Read by Textract")
    NORMALIZED = "NORMALIZED", _("Fields found")
    WITNESSED = "WITNESSED", _("Read by a second witness")
    TEXT_LAYER_CHECKED = "TEXT_LAYER_CHECKED", _("Own text of the PDF checked")
    HUMAN_REVIEW_REQUIRED = "HUMAN_REVIEW_REQUIRED", _("Sent to review")
    STRAIGHT_THROUGH = "STRAIGHT_THROUGH", _("Approved without review")
    CLAIMED = "CLAIMED", _("Claimed")
    RELEASED = "RELEASED", _("Released")
    PAGE_TURNED = "PAGE_TURNED", _("Page turned")
    FIELD_CONFIRMED = "FIELD_CONFIRMED", _("Field confirmed")
    FIELD_CORRECTED = "FIELD_CORRECTED", _("Field corrected")
    HUMAN_REVIEW_APPROVED = "HUMAN_REVIEW_APPROVED", _("Approved")
    HUMAN_REVIEW_REJECTED = "HUMAN_REVIEW_REJECTED", _("Rejected")
    ESCALATED = "ESCALATED", _("Escalated")
    CHECKED = "CHECKED", _("Checked by one of several people")
    COMMENTED = "COMMENTED", _("Commented on")
    ASSIGNED = "ASSIGNED", _("Assigned")
    REOPENED = "REOPENED", _("Reopened")
    REPLAYED = "REPLAYED", _("Read again from the stored answer")
    PUBLISHED = "PUBLISHED", _("Published")
    FAILED = "FAILED", _("Failed")
    RETRIED = "RETRIED", _("Retried")
    VIEWED = "VIEWED", _("Viewed")
    UNMASKED = "UNMASKED", _("Unmasked")
    EXPORTED = "EXPORTED", _("Exported")
    ERASED = "ERASED", _("Erased")
    MEMBER_CHANGED = "MEMBER_CHANGED", _("Membership changed")
    KEY_ISSUED = "KEY_ISSUED", _("API key issued")
    KEY_REVOKED = "KEY_REVOKED", _("API key revoked")
    USER_CHANGED = "USER_CHANGED", _("User changed")
    TENANT_CHANGED = "TENANT_CHANGED", _("Tenant changed")
    BATCH_CHANGED = "BATCH_CHANGED", _("Batch changed")
    DOCUMENT_TYPE_CHANGED = "DOCUMENT_TYPE_CHANGED", _("Document type changed")
    SETTINGS_CHANGED = "SETTINGS_CHANGED", _("Settings changed")


class AuditEvent(models.Model):
    """One thing that happened, chained to the one before it. Never values: ids, names, codes, counts, hashes.

    `chain` is `document:<id>`, or `tenant:<id>` for what concerns no document; `seq` counts from 1 within it. `version` is the
    document's version that this event made, empty where it made none. `hash` is SHA-256 over the canonical JSON of the row and
    `previous_hash` (audit.trail says how).
    """

    chain = models.CharField(max_length=60)
    seq = models.PositiveIntegerField()
    tenant_id = models.UUIDField()
    document_id = models.CharField(max_length=36, blank=True)
    version = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=40, choices=Kind.choices)
    at = models.DateTimeField()
    actor = models.CharField(max_length=160)
    step = models.CharField(max_length=40, blank=True)
    codes = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        verbose_name = _("audit event")
        constraints = [
            models.UniqueConstraint(fields=["chain", "seq"], name="audit_chain_seq"),
            models.UniqueConstraint(
                fields=["chain", "version"], condition=models.Q(version__isnull=False), name="audit_one_row_per_version"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="audit_kind_known"),
        ]
        indexes = [
            models.Index(fields=["document_id", "seq"], name="audit_document"),
            models.Index(fields=["tenant_id", "at"], name="audit_tenant_day"),
            models.Index(fields=["kind", "at"], name="audit_kind_day"),
            models.Index(fields=["actor", "at"], name="audit_actor_day"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.seq} {self.kind}"


class AuditHead(models.Model):
    """The last link of each chain: what a cut-off tail is measured against, and the row that writers queue up on."""

    chain = models.CharField(max_length=60, primary_key=True)
    tenant_id = models.UUIDField(db_index=True)
    seq = models.PositiveIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}"
