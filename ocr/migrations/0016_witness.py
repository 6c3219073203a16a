"""What a second witness read in the pieces that fields were read from."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [("ocr", "0015_fewer_indexes"), ("tenants", "0004_valid_key")]

    operations = [
        migrations.CreateModel(
            name="Witness",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("version", models.PositiveIntegerField()),
                ("said", models.JSONField(default=dict)),
                ("heard_at", models.DateTimeField(auto_now_add=True)),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="witnesses",
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
                "constraints": [models.UniqueConstraint(fields=("document", "version"), name="witness_once")],
            },
        ),
        protect("ocr_witness"),
    ]
