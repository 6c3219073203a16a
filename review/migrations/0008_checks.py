"""Documents that more than one person has to see."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0007_lane_answers"),
        ("ocr", "0021_withdrawn_events"),
        ("tenants", "0005_text_layers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Check",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("number", models.PositiveSmallIntegerField()),
                ("reviewer", models.CharField(max_length=160)),
                ("said", models.JSONField(default=dict)),
                ("differs", models.JSONField(default=list)),
                ("added_rows", models.JSONField(default=list)),
                ("note", models.TextField(blank=True)),
                ("checked_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checks",
                        to="ocr.document",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "ordering": ["number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=["tenant", "document"],
                        name="check_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("document", "version", "number"), name="check_number_once"),
                    models.UniqueConstraint(
                        fields=("document", "version", "person"), name="check_never_the_same_person"
                    ),
                    models.CheckConstraint(condition=models.Q(("number__in", [1, 2, 3])), name="check_number_known"),
                ],
            },
        ),
        protect("review_check"),
    ]
