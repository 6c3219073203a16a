"""Batches: a manifest, its rows, and the event that tells of their end."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [
        ("ocr", "0004_pages_of_an_answer"),
        ("tenants", "0003_name_of_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("stopped", "Stopped: too many rows failed"),
                            ("cancelled", "Cancelled"),
                            ("completed", "Completed"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255)),
                ("total", models.PositiveIntegerField(default=0)),
                ("max_concurrency", models.PositiveIntegerField()),
                ("tolerated_failure_percentage", models.FloatField()),
                ("submitted_by", models.CharField(max_length=160)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField()),
                ("resumed_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("fed_until", models.DateTimeField(null=True)),
                ("fence", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "batches",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="BatchItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("feeding", "Being fetched"),
                            ("submitted", "Being read"),
                            ("done", "Read"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("bucket", models.CharField(blank=True, max_length=63)),
                ("key", models.CharField(blank=True, max_length=1024)),
                ("object_version", models.CharField(blank=True, max_length=1024)),
                ("source_document_id", models.UUIDField(null=True)),
                ("external_id", models.CharField(blank=True, max_length=200)),
                ("document_type", models.CharField(blank=True, max_length=60)),
                (
                    "priority",
                    models.PositiveSmallIntegerField(choices=[(0, "High"), (1, "Normal"), (2, "Low")], default=2),
                ),
                ("metadata", models.JSONField(default=dict)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["row"],
            },
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="batch_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddConstraint(
            model_name="outboxevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("type", "batch.completed")),
                fields=("batch_id",),
                name="outbox_batch_completed_once",
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="tenant",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="batch",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="items", to="ocr.batch"),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="document",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="batch_item", to="ocr.document"
            ),
        ),
        migrations.AddField(
            model_name="batchitem",
            name="tenant",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["tenant", "-created_at", "id"], name="batch_list"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)), fields=["created_at"], name="batch_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["running", "paused", "stopped", "cancelled", "completed"])),
                name="batch_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_concurrency__gte", 1)), name="batch_concurrency_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tolerated_failure_percentage__gte", 0), ("tolerated_failure_percentage__lte", 100)
                ),
                name="batch_tolerance_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True), ("finished_at__isnull", False), _connector="OR"
                ),
                name="batch_completed_is_finished",
            ),
        ),
        migrations.AddIndex(
            model_name="batchitem",
            index=models.Index(fields=["batch", "state", "row"], name="batch_item_state"),
        ),
        migrations.AddIndex(
            model_name="batchitem",
            index=models.Index(fields=["batch", "settled_at"], name="batch_item_settled"),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.UniqueConstraint(fields=("batch", "row"), name="batch_row_once"),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "feeding", "submitted", "done", "failed", "cancelled"])),
                name="batch_item_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["pending", "feeding", "cancelled"]), _negated=True),
                    ("document__isnull", True),
                    _connector="OR",
                ),
                name="batch_item_document_when_submitted",
            ),
        ),
        protect("ocr_batch"),
        protect("ocr_batchitem"),
    ]
