"""What was read before there was a ledger: one line for each extraction that was collected or whose answer was lost."""

from django.conf import settings
from django.db import migrations

# The scope is needed since row-level security holds for the owner too. The prices of then are what the extractions say; what an
# extraction with a lost answer may have cost was not noted.
FILL = """
    SELECT set_config('dtat.everything', 'on', true);
    INSERT INTO ocr_charge (tenant_id, document_id, extraction_id, number, kind, operation, features, unit, region,
                            price_version, pages, unit_micro_dollars, micro_dollars, at)
    SELECT e.tenant_id, e.document_id, e.id, e.number,
           CASE WHEN e.state = 'failed' THEN 'uncertain' WHEN e.reused_from IS NOT NULL THEN 'reused' ELSE 'billed' END,
           e.operation, e.features,
           coalesce((SELECT string_agg(f, '+' ORDER BY f) FROM jsonb_array_elements_text(e.features) f), 'TEXT'),
           %(region)s, 'before', pages.counted,
           CASE WHEN pages.counted = 0 THEN 0 ELSE e.micro_dollars / pages.counted END,
           CASE WHEN pages.counted = 0 THEN 0 ELSE e.micro_dollars / pages.counted * pages.counted END,
           coalesce(e.collected_at, e.started_at, d.status_at)
      FROM ocr_extraction e JOIN ocr_document d ON d.id = e.document_id,
           LATERAL (SELECT CASE WHEN e.state = 'failed' THEN d.page_count ELSE e.pages END AS counted) pages
     WHERE e.state = 'collected' OR (e.state = 'failed' AND e.charge_uncertain)
    ON CONFLICT (extraction_id) DO NOTHING;
    INSERT INTO ocr_monthlycost (tenant_id, month, region, unit, pages, reused_pages, micro_dollars, uncertain_micro_dollars)
    SELECT tenant_id, date_trunc('month', at AT TIME ZONE 'UTC')::date, region, unit,
           coalesce(sum(pages) FILTER (WHERE kind = 'billed'), 0), coalesce(sum(pages) FILTER (WHERE kind = 'reused'), 0),
           coalesce(sum(micro_dollars) FILTER (WHERE kind = 'billed'), 0),
           coalesce(sum(micro_dollars) FILTER (WHERE kind = 'uncertain'), 0)
      FROM ocr_charge GROUP BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, month, region, unit) DO NOTHING;
    SELECT set_config('dtat.everything', 'off', true);
"""


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL, {"region": settings.AWS_REGION})


class Migration(migrations.Migration):
    dependencies = [("ocr", "0008_priority_of_a_batch")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
