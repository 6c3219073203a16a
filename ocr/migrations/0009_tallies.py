"""Lists and the review queue in index order, and counts of documents that are kept up to date."""

import django.db.models.deletion
from django.db import migrations, models

from tenants.scope import protect

COLUMNS = "status, priority, received_at, read_at, finished_at, straight_through, review_reasons"
OLD, NEW = (", ".join(f"{row}.{column}" for column in COLUMNS.split(", ")) for row in ("OLD", "NEW"))
# Every row that is counted differently afterwards is noted as it was and as it is. What only the workers change is not.
CHANGED = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in COLUMNS.split(", "))
NOTE = f"""
    CREATE FUNCTION ocr_note_uncounted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            INSERT INTO ocr_uncounted (tenant_id, sign, at, {COLUMNS})
            VALUES (OLD.tenant_id, -1, NEW.status_at, {OLD}), (NEW.tenant_id, 1, NEW.status_at, {NEW});
        ELSIF TG_OP = 'INSERT' THEN
            INSERT INTO ocr_uncounted (tenant_id, sign, at, {COLUMNS})
            VALUES (NEW.tenant_id, 1, NEW.status_at, {NEW});
        ELSE
            INSERT INTO ocr_uncounted (tenant_id, sign, at, {COLUMNS})
            VALUES (OLD.tenant_id, -1, clock_timestamp(), {OLD});
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER document_noted AFTER INSERT OR DELETE ON ocr_document
        FOR EACH ROW EXECUTE FUNCTION ocr_note_uncounted();
    CREATE TRIGGER document_change_noted AFTER UPDATE ON ocr_document
        FOR EACH ROW WHEN ({CHANGED}) EXECUTE FUNCTION ocr_note_uncounted();

    -- Documents of before are counted as if they had just come; the scope is needed since the policies hold for the owner too.
    SELECT set_config('dtat.everything', 'on', true);
    INSERT INTO ocr_uncounted (tenant_id, sign, at, {COLUMNS})
        SELECT tenant_id, 1, status_at, {COLUMNS} FROM ocr_document;
    SELECT set_config('dtat.everything', 'off', true);
"""
FORGET = """
    DROP TRIGGER document_change_noted ON ocr_document;
    DROP TRIGGER document_noted ON ocr_document;
    DROP FUNCTION ocr_note_uncounted();
"""
WAITING = models.Q(status="needs_review")


def indexed(name: str, *fields: str, where: models.Q | None = None) -> migrations.AddIndex:
    return migrations.AddIndex("document", models.Index(fields=fields, name=name, condition=where))


class Migration(migrations.Migration):
    dependencies = [("ocr", "0008_costs_of_before"), ("tenants", "0003_name_of_keys")]

    operations = [
        migrations.AlterModelOptions("document", {"ordering": ["-received_at", "-id"]}),
        migrations.AlterField(
            "document",
            "document_type",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ocr.documenttype",
            ),
        ),
        migrations.AlterField(
            "document",
            "tenant",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"
            ),
        ),
        migrations.RemoveIndex("document", "document_list"),
        migrations.RemoveIndex("document", "document_waiting"),
        indexed("document_list", "tenant", "received_at", "id"),
        indexed("document_status", "tenant", "status", "received_at", "id"),
        indexed("document_priority", "tenant", "priority", "received_at", "id"),
        indexed("document_type", "tenant", "document_type", "received_at", "id"),
        indexed("document_waiting", "tenant", "turn_at", "id", where=WAITING),
        indexed("document_waiting_urgency", "tenant", "priority", "turn_at", "id", where=WAITING),
        indexed("document_decided", "reviewer", "decided_at", where=~models.Q(reviewer="")),
        migrations.CreateModel(
            name="Uncounted",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
                ("sign", models.SmallIntegerField()),
                ("at", models.DateTimeField()),
                ("status", models.CharField(max_length=20)),
                ("priority", models.PositiveSmallIntegerField()),
                ("received_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("straight_through", models.BooleanField(null=True)),
                ("review_reasons", models.JSONField(default=list)),
            ],
            options={"verbose_name_plural": "uncounted"},
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
                ("span", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                ("name", models.CharField(max_length=60)),
                ("bin", models.SmallIntegerField(default=0)),
                ("n", models.BigIntegerField(default=0)),
                ("micros", models.BigIntegerField(default=0)),
            ],
            options={"verbose_name_plural": "tallies"},
        ),
        migrations.AddConstraint(
            "tally", models.UniqueConstraint(fields=("tenant", "span", "at", "name", "bin"), name="tally_once")
        ),
        protect("ocr_uncounted"),
        protect("ocr_tally"),
        migrations.RunSQL(NOTE, FORGET),
    ]
