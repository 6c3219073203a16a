"""Whether a tenant's PDFs are read by their own text; off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_valid_key")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="reads_text_layers",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The text that a PDF carries is read instead of its pages, at once and without a bill, "
                "where a second witness finds the same on the pages.",
                verbose_name="read the text of PDFs",
            ),
        ),
    ]
