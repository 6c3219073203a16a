from django.db import migrations, models


class Migration(migrations.Migration):
    """A decision can be taken back for a few seconds."""

    dependencies = [("review", "0002_row_level_security")]

    operations = [
        migrations.AddField("decision", "before", models.JSONField(default=dict)),
        migrations.AddField("decision", "undone_at", models.DateTimeField(null=True)),
    ]
