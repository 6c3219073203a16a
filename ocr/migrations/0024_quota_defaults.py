from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ocr", "0023_splits")]
    operations = [
        migrations.AlterField("quota", "reserved", models.FloatField(default=0.2)),
        migrations.AlterField("quota", "share", models.FloatField(default=0.99)),
    ]
