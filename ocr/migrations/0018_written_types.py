from django.db import migrations, models


class Migration(migrations.Migration):
    """Document types keep the YAML that somebody wrote, and who saved them."""

    dependencies = [("ocr", "0017_replays")]

    operations = [
        migrations.AddField("documenttype", "source", models.TextField(blank=True, db_default="")),
        migrations.AddField("documenttype", "made_by", models.CharField(db_default="system", max_length=160)),
    ]
