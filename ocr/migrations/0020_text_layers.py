"""What became of a PDF's own text. The column has its default in the database, so that hosts of before go on writing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ocr", "0019_audited_by_chain")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="text_layer",
            field=models.CharField(
                blank=True,
                choices=[
                    ("wanted", "To be looked at"),
                    ("taken", "Read instead of the pages"),
                    ("unsound", "Not usable"),
                    ("differs", "Not what the pages show"),
                    ("unchecked", "Not checked"),
                    ("unfit", "Not enough for this type"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
    ]
