"""The trail only grows: no right and no trigger lets the app role change it, and the owner's hand is stopped too.

A plain trigger, since the usual library's can be switched off by any role with a setting. Whoever may drop triggers (the owner,
the superuser) leaves a broken chain, which audit_verify finds.
"""

from django.db import migrations

from tenants.scope import protect

APPEND_ONLY = """
    CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit trail is append-only: % is not possible', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$;
    CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_auditevent
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
    CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_auditevent
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

    CREATE FUNCTION audit_head_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR NEW.chain <> OLD.chain OR NEW.tenant_id <> OLD.tenant_id OR NEW.seq <> OLD.seq + 1 THEN
            RAISE EXCEPTION 'the head of an audit chain only moves to the next event' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER audit_head_only_forward BEFORE UPDATE OR DELETE ON audit_audithead
        FOR EACH ROW EXECUTE FUNCTION audit_head_moves_on();
    CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_audithead
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

    REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON audit_auditevent FROM dtat_app, dtat_auditor, PUBLIC;
    REVOKE DELETE, TRUNCATE, REFERENCES, TRIGGER ON audit_audithead FROM dtat_app, dtat_auditor, PUBLIC;
"""
REVERSE = """
    GRANT UPDATE, DELETE ON audit_auditevent TO dtat_app;
    GRANT DELETE ON audit_audithead TO dtat_app;
    DROP TRIGGER audit_head_no_truncate ON audit_audithead;
    DROP TRIGGER audit_head_only_forward ON audit_audithead;
    DROP FUNCTION audit_head_moves_on();
    DROP TRIGGER audit_event_no_truncate ON audit_auditevent;
    DROP TRIGGER audit_event_append_only ON audit_auditevent;
    DROP FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, REVERSE),
        protect("audit_auditevent"),
        protect("audit_audithead"),
    ]
