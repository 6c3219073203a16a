"""Where a correction's value was seen, what the engine missed, rows that came and went; and each person's keys."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ACTS = [
    ("confirmed", "Confirmed"),
    ("corrected", "Corrected"),
    ("absent", "Not on the page"),
    ("unreadable", "Unreadable"),
    ("missed", "Missed by the engine"),
    ("added", "Row added"),
    ("removed", "Row taken out"),
]
SOURCES = [
    ("confirmed", "As the engine read it"),
    ("captured", "Words of the page"),
    ("suggested", "One of the suggestions"),
    ("typed", "Typed"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0004_asides_and_escalations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField("correction", "act", models.CharField(choices=ACTS, max_length=12)),
        migrations.AddField(
            "correction", "source", models.CharField(blank=True, choices=SOURCES, default="", max_length=10),
            preserve_default=False,
        ),
        migrations.AddField("correction", "word_ids", models.JSONField(default=list)),
        migrations.AddField("correction", "page", models.PositiveIntegerField(null=True)),
        migrations.AddField("correction", "box", models.JSONField(null=True)),
        migrations.CreateModel(
            name="Keyboard",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("chords", models.JSONField(default=dict)),
                ("single_letters", models.BooleanField(default=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keyboard",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]  # fmt: skip
