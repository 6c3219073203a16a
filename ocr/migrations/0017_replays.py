"""Stored answers read again in bulk: the runs, and their chunks with what became of them."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [("ocr", "0016_witness"), ("tenants", "0004_valid_key")]

    operations = [
        migrations.CreateModel(
            name="ReplayRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("wishes", models.JSONField(default=dict)),
                ("apply", models.BooleanField(default=False)),
                (
                    "asked_type",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ocr.documenttype",
                    ),
                ),
                ("types", models.JSONField(default=list)),
                ("documents", models.PositiveIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["-created_at", "id"]},
        ),
        migrations.CreateModel(
            name="ReplayChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="ocr.replayrun",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("planned", "Planned"), ("written", "Written"), ("done", "Done")],
                        default="planned",
                        max_length=10,
                    ),
                ),
                ("fence", models.PositiveIntegerField(default=0)),
                ("documents", models.JSONField(default=list)),
                ("told", models.JSONField(default=dict)),
                ("digests", models.BinaryField(default=bytes)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "number"), name="replay_chunk_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["planned", "written", "done"])),
                        name="replay_chunk_state_known",
                    ),
                ],
            },
        ),
        protect("ocr_replaychunk"),
    ]
