"""What was said of fields in lanes."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0006_reserved_claims"),
        ("ocr", "0023_splits"),
        ("tenants", "0004_valid_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="LaneAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("field", models.CharField(max_length=120)),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("confirmed", "Confirmed"),
                            ("corrected", "Corrected"),
                            ("absent", "Not on the page"),
                            ("unreadable", "Unreadable"),
                            ("missed", "Missed by the engine"),
                            ("added", "Row added"),
                            ("removed", "Row taken out"),
                        ],
                        max_length=12,
                    ),
                ),
                ("value", models.TextField(null=True)),
                ("answered_by", models.CharField(max_length=160)),
                ("answered_at", models.DateTimeField()),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lane_answers",
                        to="ocr.document",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("document", "version", "field"), name="lane_answer_once"),
                    models.CheckConstraint(
                        condition=models.Q(("act__in", ["confirmed", "corrected", "absent", "unreadable"])),
                        name="lane_answer_known",
                    ),
                ],
            },
        ),
        protect("review_laneanswer"),
    ]
