"""A batch has a priority for the rows that name none, and knows its manifest again."""

from django.db import migrations, models

PRIORITIES = [(0, "High"), (1, "Normal"), (2, "Low")]


class Migration(migrations.Migration):
    dependencies = [("ocr", "0007_costs")]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="manifest_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="batch",
            name="priority",
            field=models.PositiveSmallIntegerField(choices=PRIORITIES, default=2),
        ),
        migrations.AlterField(
            model_name="batchitem",
            name="priority",
            field=models.PositiveSmallIntegerField(choices=PRIORITIES, null=True),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__in", [0, 1, 2])), name="batch_priority_known"
            ),
        ),
    ]
