"""Row-level security on every tenant's table, and no change of status without its audit row."""

from django.db import migrations

from tenants.scope import protect

TABLES = ("document", "page", "extraction", "field", "artifact", "outboxevent", "idempotencykey")

# The check runs at commit, when the scope of the transaction may be over: it looks past row-level security by itself.
STATUS_AUDITED = """
    CREATE FUNCTION ocr_version_steps() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.status <> OLD.status AND NEW.version <> OLD.version + 1 THEN
            RAISE EXCEPTION 'a change of status makes exactly one new version' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.version < OLD.version OR NEW.version > OLD.version + 1 THEN
            RAISE EXCEPTION 'a document''s version moves one step at a time' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.tenant_id <> OLD.tenant_id THEN
            RAISE EXCEPTION 'a document stays with its tenant' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER document_version_steps BEFORE UPDATE OF status, version, tenant_id ON ocr_document
        FOR EACH ROW EXECUTE FUNCTION ocr_version_steps();

    CREATE FUNCTION ocr_status_audited() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        before text := coalesce(current_setting('dtat.everything', true), '');
        audited boolean;
    BEGIN
        PERFORM set_config('dtat.everything', 'on', true);
        audited := EXISTS (
            SELECT 1 FROM audit_auditevent
             WHERE chain = 'document:' || NEW.id AND version = NEW.version AND tenant_id = NEW.tenant_id
        );
        PERFORM set_config('dtat.everything', before, true);
        IF NOT audited THEN
            RAISE EXCEPTION 'document % reached version % without an audit row', NEW.id, NEW.version
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER document_created_audited AFTER INSERT ON ocr_document
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ocr_status_audited();
    CREATE CONSTRAINT TRIGGER document_status_audited AFTER UPDATE OF status, version ON ocr_document
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (OLD.version IS DISTINCT FROM NEW.version OR OLD.status IS DISTINCT FROM NEW.status)
        EXECUTE FUNCTION ocr_status_audited();
"""
REVERSE = """
    DROP TRIGGER document_status_audited ON ocr_document;
    DROP TRIGGER document_created_audited ON ocr_document;
    DROP FUNCTION ocr_status_audited();
    DROP TRIGGER document_version_steps ON ocr_document;
    DROP FUNCTION ocr_version_steps();
"""


class Migration(migrations.Migration):
    dependencies = [("ocr", "0001_initial"), ("audit", "0002_append_only")]

    operations = [*(protect(f"ocr_{table}") for table in TABLES), migrations.RunSQL(STATUS_AUDITED, REVERSE)]
