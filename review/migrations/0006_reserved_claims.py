"""A claim may be of the document that comes next, before it is opened."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0005_evidence_and_keys")]

    operations = [
        migrations.AddField(
            model_name="claim", name="reserved", field=models.BooleanField(db_default=False, default=False)
        ),
    ]
