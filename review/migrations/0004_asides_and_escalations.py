"""Documents that somebody set aside, and those that were passed on to the supervisors."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants.scope import protect


def _key() -> tuple[str, models.Field]:
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def _tenant() -> tuple[str, models.Field]:
    to = models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant")
    return ("tenant", to)


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0003_undone_decisions"),
        ("ocr", "0019_audited_by_chain"),
        ("tenants", "0004_valid_key"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Aside",
            fields=[
                _key(),
                ("until", models.DateTimeField()),
                ("times", models.PositiveSmallIntegerField(default=1)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="asides", to="ocr.document"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                _tenant(),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("document", "holder"), name="aside_one_per_person")],
            },
        ),
        migrations.CreateModel(
            name="Escalation",
            fields=[
                _key(),
                ("note", models.TextField(blank=True)),
                ("escalated_by", models.CharField(max_length=160)),
                ("escalated_at", models.DateTimeField()),
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="escalation", to="ocr.document"
                    ),
                ),
                _tenant(),
            ],
        ),
        protect("review_aside"),
        protect("review_escalation"),
    ]
