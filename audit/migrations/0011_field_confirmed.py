"""A field may be confirmed by itself, in a lane."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0010_page_turned"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="auditevent",
            name="audit_kind_known",
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("INGESTED", "Received"),
                    ("WORKFLOW_STARTED", "Queued for reading"),
                    ("TEXTRACT_STARTED", "Reading started"),
                    ("TEXTRACT_SUCCEEDED", "Read by Textract"),
                    ("NORMALIZED", "Fields found"),
                    ("WITNESSED", "Read by a second witness"),
                    ("TEXT_LAYER_CHECKED", "Own text of the PDF checked"),
                    ("HUMAN_REVIEW_REQUIRED", "Sent to review"),
                    ("STRAIGHT_THROUGH", "Approved without review"),
                    ("CLAIMED", "Claimed"),
                    ("RELEASED", "Released"),
                    ("PAGE_TURNED", "Page turned"),
                    ("FIELD_CONFIRMED", "Field confirmed"),
                    ("FIELD_CORRECTED", "Field corrected"),
                    ("HUMAN_REVIEW_APPROVED", "Approved"),
                    ("HUMAN_REVIEW_REJECTED", "Rejected"),
                    ("ESCALATED", "Escalated"),
                    ("REOPENED", "Reopened"),
                    ("REPLAYED", "Read again from the stored answer"),
                    ("PUBLISHED", "Published"),
                    ("FAILED", "Failed"),
                    ("RETRIED", "Retried"),
                    ("VIEWED", "Viewed"),
                    ("UNMASKED", "Unmasked"),
                    ("EXPORTED", "Exported"),
                    ("ERASED", "Erased"),
                    ("MEMBER_CHANGED", "Membership changed"),
                    ("KEY_ISSUED", "API key issued"),
                    ("KEY_REVOKED", "API key revoked"),
                    ("USER_CHANGED", "User changed"),
                    ("TENANT_CHANGED", "Tenant changed"),
                    ("BATCH_CHANGED", "Batch changed"),
                    ("DOCUMENT_TYPE_CHANGED", "Document type changed"),
                    ("SETTINGS_CHANGED", "Settings changed"),
                ],
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "INGESTED",
                            "WORKFLOW_STARTED",
                            "TEXTRACT_STARTED",
                            "TEXTRACT_SUCCEEDED",
                            "NORMALIZED",
                            "WITNESSED",
                            "TEXT_LAYER_CHECKED",
                            "HUMAN_REVIEW_REQUIRED",
                            "STRAIGHT_THROUGH",
                            "CLAIMED",
                            "RELEASED",
                            "PAGE_TURNED",
                            "FIELD_CONFIRMED",
                            "FIELD_CORRECTED",
                            "HUMAN_REVIEW_APPROVED",
                            "HUMAN_REVIEW_REJECTED",
                            "ESCALATED",
                            "REOPENED",
                            "REPLAYED",
                            "PUBLISHED",
                            "FAILED",
                            "RETRIED",
                            "VIEWED",
                            "UNMASKED",
                            "EXPORTED",
                            "ERASED",
                            "MEMBER_CHANGED",
                            "KEY_ISSUED",
                            "KEY_REVOKED",
                            "USER_CHANGED",
                            "TENANT_CHANGED",
                            "BATCH_CHANGED",
                            "DOCUMENT_TYPE_CHANGED",
                            "SETTINGS_CHANGED",
                        ],
                    )
                ),
                name="audit_kind_known",
            ),
        ),
    ]
