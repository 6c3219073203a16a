from django.db import migrations, models


class Migration(migrations.Migration):
    """An event that was held back can be taken back with what it tells of."""

    dependencies = [("ocr", "0020_text_layers")]

    operations = [migrations.AddField("outboxevent", "withdrawn_at", models.DateTimeField(null=True))]
