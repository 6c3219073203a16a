from django.db import migrations

# Signing in with a key happens before any tenant is known, so it has to see every tenant, and only here: the view is taken back before
# the function ends, and after an error the transaction takes it back. It tells nothing that the application's role could not read.
CREATE = """
    CREATE FUNCTION tenants_valid_key(wanted text)
    RETURNS TABLE (
        id uuid, name text, prefix text, tenant_id uuid,
        user_id integer, username text, is_superuser boolean, roles text[]
    )
    LANGUAGE plpgsql
    AS $$
    #variable_conflict use_column
    DECLARE
        before text := coalesce(current_setting('dtat.everything', true), '');
    BEGIN
        PERFORM set_config('dtat.everything', 'on', true);
        RETURN QUERY
            SELECT k.id, k.name::text, k.prefix::text, k.tenant_id, u.id, u.username::text, u.is_superuser,
                   ARRAY(SELECT m.role::text FROM tenants_membership m WHERE m.user_id = u.id AND m.tenant_id = k.tenant_id)
              FROM tenants_apikey k JOIN auth_user u ON u.id = k.user_id
             WHERE k.digest = wanted AND k.revoked_at IS NULL AND u.is_active;
        PERFORM set_config('dtat.everything', before, true);
    END
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_name_of_keys")]

    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION tenants_valid_key(text)")]
