"""A batch of events moves a chain's head by several steps at once; it moves forward only, and only to an event that is there."""

from django.db import migrations

MOVES_ON = """
    CREATE OR REPLACE FUNCTION audit_head_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR NEW.chain <> OLD.chain OR NEW.tenant_id <> OLD.tenant_id OR {refused} THEN
            RAISE EXCEPTION 'the head of an audit chain only moves to the next event' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;
"""
NEW = """NEW.seq <= OLD.seq OR NOT EXISTS (
            SELECT 1 FROM audit_auditevent WHERE chain = NEW.chain AND seq = NEW.seq AND hash = NEW.hash)"""
OLD = "NEW.seq <> OLD.seq + 1"


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_tenant_changed")]

    operations = [
        migrations.RunSQL(MOVES_ON.format(refused=NEW), MOVES_ON.format(refused=OLD)),
    ]
