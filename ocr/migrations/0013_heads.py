"""The documents that are next, as a function: its plan is made once for each connection, and always along the index made for it."""

from django.db import migrations

HEADS = """
    CREATE FUNCTION ocr_heads(lane int, operations text[], most int, without uuid[])
        RETURNS TABLE (id uuid, turn_at timestamptz, early boolean, share bigint)
        LANGUAGE plpgsql STABLE SET enable_sort = off SET enable_seqscan = off AS $$
    #variable_conflict use_column
    DECLARE
        looked_at timestamptz := clock_timestamp();
    BEGIN
        RETURN QUERY
        WITH RECURSIVE busy AS (
            (SELECT d.tenant_id FROM ocr_document d WHERE d.step <> '' ORDER BY d.tenant_id LIMIT 1)
            UNION ALL
            SELECT next.tenant_id FROM busy CROSS JOIN LATERAL (
                SELECT d.tenant_id FROM ocr_document d WHERE d.step <> '' AND d.tenant_id > busy.tenant_id
                 ORDER BY d.tenant_id LIMIT 1) AS next
        ),
        held AS MATERIALIZED (
            SELECT d.tenant_id, count(*) AS number FROM ocr_document d WHERE d.lease_until > looked_at GROUP BY d.tenant_id
        ),
        head AS MATERIALIZED (
            SELECT first.id, first.turn_at, busy.tenant_id
              FROM busy CROSS JOIN unnest(operations) AS wanted (operation) CROSS JOIN generate_series(0, 2) AS of (priority)
                   CROSS JOIN LATERAL (
                       SELECT d.id, d.turn_at FROM ocr_document d
                        WHERE d.step <> '' AND d.tenant_id = busy.tenant_id AND d.operation = wanted.operation
                          AND d.priority = of.priority AND (of.priority <= lane OR d.turn_at <= looked_at)
                          AND d.due_at <= looked_at AND (d.lease_until IS NULL OR d.lease_until < looked_at)
                        ORDER BY d.turn_at LIMIT most) AS first
             WHERE busy.tenant_id <> ALL (without)
        )
        SELECT head.id, head.turn_at, head.turn_at > looked_at,
               coalesce(held.number, 0) + row_number() OVER (PARTITION BY head.tenant_id ORDER BY head.turn_at)
          FROM head LEFT JOIN held ON held.tenant_id = head.tenant_id;
    END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ocr", "0012_turns_by_operation")]

    operations = [migrations.RunSQL(HEADS, "DROP FUNCTION ocr_heads(int, text[], int, uuid[])")]
