"""The check that a change of status has its audit row looks it up by its chain and version, whatever the tables' statistics say.

On a young table the planner could take the index by tenant and time instead, and a plan once made stays with the connection: each
commit then walked through all of the tenant's trail. A comparison that no index serves leaves it no choice.
"""

from django.db import migrations

FUNCTION = """
    CREATE OR REPLACE FUNCTION ocr_status_audited() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        before text := coalesce(current_setting('dtat.everything', true), '');
        audited boolean;
    BEGIN
        PERFORM set_config('dtat.everything', 'on', true);
        audited := EXISTS (
            SELECT 1 FROM audit_auditevent
             WHERE chain = 'document:' || NEW.id AND version = NEW.version AND tenant_id {same} NEW.tenant_id
        );
        PERFORM set_config('dtat.everything', before, true);
        IF NOT audited THEN
            RAISE EXCEPTION 'document % reached version % without an audit row', NEW.id, NEW.version
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ocr", "0018_written_types"), ("audit", "0008_witnessed")]

    operations = [
        migrations.RunSQL(FUNCTION.format(same="IS NOT DISTINCT FROM"), FUNCTION.format(same="=")),
    ]
