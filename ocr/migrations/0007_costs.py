"""Prices, the ledger, its monthly sums and the monthly caps. The ledger only grows: the app role may add to it and read it."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.scope import protect

# The owner keeps its rights: when a tenant leaves for good, an administrator deletes its rows as the owner (docs/costs.md).
APPEND_ONLY = """
    REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON ocr_charge, ocr_pricetable FROM dtat_app, dtat_auditor, PUBLIC;
"""
REVERSE = "GRANT UPDATE, DELETE ON ocr_charge, ocr_pricetable TO dtat_app;"


def key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def tenant(**options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant", **options
    )


class Migration(migrations.Migration):
    dependencies = [("ocr", "0006_beats_name_their_host"), ("tenants", "0003_name_of_keys")]

    operations = [
        migrations.CreateModel(
            name="PriceTable",
            fields=[
                ("id", key()),
                ("group", models.SlugField(max_length=30)),
                ("version", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("made_by", models.CharField(editable=False, max_length=160)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["group", "-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("group", "version"), name="price_table_version_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Charge",
            fields=[
                ("id", key()),
                ("document_id", models.UUIDField()),
                ("extraction_id", models.BigIntegerField(unique=True)),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("billed", "Billed"), ("reused", "Read before"), ("uncertain", "Uncertain")],
                        max_length=10,
                    ),
                ),
                ("operation", models.CharField(max_length=40)),
                ("features", models.JSONField(default=list)),
                ("unit", models.CharField(max_length=80)),
                ("region", models.CharField(max_length=30)),
                ("price_version", models.CharField(max_length=40)),
                ("pages", models.PositiveIntegerField()),
                ("unit_micro_dollars", models.PositiveBigIntegerField()),
                ("micro_dollars", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField()),
                ("tenant", tenant(db_index=False)),
            ],
            options={
                "ordering": ["-at", "-id"],
                "indexes": [models.Index(fields=["tenant", "-at"], name="charge_tenant_time")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["billed", "reused", "uncertain"])), name="charge_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("micro_dollars", models.F("pages") * models.F("unit_micro_dollars"))),
                        name="charge_is_pages_times_price",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "reused"), _negated=True), ("micro_dollars", 0), _connector="OR"
                        ),
                        name="charge_reused_costs_nothing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MonthlyCost",
            fields=[
                ("id", key()),
                ("month", models.DateField()),
                ("region", models.CharField(max_length=30)),
                ("unit", models.CharField(max_length=80)),
                ("pages", models.PositiveBigIntegerField(default=0)),
                ("reused_pages", models.PositiveBigIntegerField(default=0)),
                ("micro_dollars", models.PositiveBigIntegerField(default=0)),
                ("uncertain_micro_dollars", models.PositiveBigIntegerField(default=0)),
                ("tenant", tenant()),
            ],
            options={
                "ordering": ["-month", "tenant", "unit"],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "month", "region", "unit"), name="monthly_cost_once"),
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="monthly_cost_from_the_first"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", key()),
                ("cap_micro_dollars", models.PositiveBigIntegerField(null=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("tenant", tenant()),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("tenant",), name="budget_once")]},
        ),
        migrations.AddField(
            model_name="extraction",
            name="estimate_micro_dollars",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="extraction",
            index=models.Index(
                condition=models.Q(("state__in", ["planned", "started"])),
                fields=["tenant"],
                name="extraction_in_flight",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("error_code", "monthly_cap")), fields=["tenant"], name="document_over_cap"
            ),
        ),
        *(protect(f"ocr_{table}") for table in ("charge", "monthlycost", "budget")),
        migrations.RunSQL(APPEND_ONLY, REVERSE),
    ]
