from django.db import migrations

from tenants.scope import protect


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        protect("tenants_tenant", column="id"),
        protect("tenants_membership"),
        protect("tenants_apikey"),
    ]
