"""The one order of work, the parts of an answer, and the shared quotas."""

import django.utils.timezone
from django.db import migrations, models

# Documents of before get their turn; the scope is needed since row-level security holds for the owner too.
FILL = """
    SELECT set_config('dtat.everything', 'on', true);
    UPDATE ocr_document
       SET turn_at = received_at + (CASE priority WHEN 0 THEN 0 WHEN 1 THEN 10 ELSE 60 END) * interval '1 minute';
    SELECT set_config('dtat.everything', 'off', true);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ocr", "0002_guards"),
        ("tenants", "0003_name_of_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Quota",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(max_length=60)),
                ("region", models.CharField(max_length=30)),
                ("operation", models.CharField(max_length=60)),
                ("granted", models.FloatField()),
                ("share", models.FloatField(default=0.98)),
                ("reserved", models.FloatField(default=0.3)),
                ("jobs_granted", models.PositiveIntegerField(default=0)),
                ("rate", models.FloatField()),
                ("peak", models.FloatField(default=0)),
                ("tokens", models.FloatField(default=0)),
                ("filled_at", models.DateTimeField()),
                ("throttled_at", models.DateTimeField(null=True)),
                ("throttles", models.PositiveBigIntegerField(default=0)),
                ("jobs_full_until", models.DateTimeField(null=True)),
                ("stopped_code", models.CharField(blank=True, max_length=40)),
                ("stopped_until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "quotas",
                "ordering": ["account", "region", "operation"],
            },
        ),
        migrations.AddField(
            model_name="document",
            name="turn_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="extraction",
            name="next_token",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AddField(
            model_name="extraction",
            name="parts",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="extraction",
            name="sent_fence",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("step", ""), _negated=True), fields=["tenant", "turn_at"], name="document_turn"
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.UniqueConstraint(fields=("account", "region", "operation"), name="quota_once"),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.CheckConstraint(condition=models.Q(("granted__gt", 0)), name="quota_granted_positive"),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gt", 0), ("share__lte", 1)), name="quota_share_of_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.CheckConstraint(
                condition=models.Q(("reserved__gte", 0), ("reserved__lt", 1)), name="quota_reserved_of_one"
            ),
        ),
    ]
