from django.db import migrations, models


class Migration(migrations.Migration):
    """Documents that were cut out of another one: which one, and its first page there."""

    dependencies = [("ocr", "0022_turned_pages")]

    operations = [
        migrations.AddField("document", "split_of", models.UUIDField(null=True)),
        migrations.AddField("document", "split_first", models.PositiveIntegerField(null=True)),
        migrations.AddConstraint(
            "document",
            models.UniqueConstraint(
                condition=models.Q(("split_of__isnull", False)),
                fields=("split_of", "split_first"),
                name="document_split_once",
            ),
        ),
        migrations.AddConstraint(
            "document",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("split_first__isnull", True), ("split_of__isnull", True)),
                    models.Q(("split_first__gte", 1), ("split_of__isnull", False)),
                    _connector="OR",
                ),
                name="document_split_whole",
            ),
        ),
    ]
