"""A finished batch knows the counts of its rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ocr", "0010_operations_and_falls")]

    operations = [migrations.AddField(model_name="batch", name="counts", field=models.JSONField(default=dict))]
