"""Which pages each part of an answer holds, so that one page is read without the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ocr", "0003_turns_and_quotas"),
    ]

    operations = [
        migrations.AddField(
            model_name="artifact",
            name="first_page",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="artifact",
            name="last_page",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
