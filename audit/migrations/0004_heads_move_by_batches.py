"""A batch of events moves a chain's head by several steps at once; it still never moves back."""

from django.db import migrations

MOVES_ON = """
    CREATE OR REPLACE FUNCTION audit_head_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR NEW.chain <> OLD.chain OR NEW.tenant_id <> OLD.tenant_id OR NEW.seq {past} OLD.seq{by} THEN
            RAISE EXCEPTION 'the head of an audit chain only moves to the next event' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_tenant_changed")]

    operations = [
        migrations.RunSQL(MOVES_ON.format(past="<=", by=""), MOVES_ON.format(past="<>", by=" + 1")),
    ]
