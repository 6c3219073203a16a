from django.db import migrations

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [("review", "0001_initial")]

    operations = [protect(f"review_{table}") for table in ("claim", "draft", "decision", "correction")]
