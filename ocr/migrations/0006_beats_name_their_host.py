"""Beats name their host: what@host, since each host is watched by itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocr", "0005_batches"),
    ]

    operations = [
        migrations.AlterField(
            model_name="beat",
            name="name",
            field=models.CharField(max_length=200, primary_key=True, serialize=False),
        ),
    ]
