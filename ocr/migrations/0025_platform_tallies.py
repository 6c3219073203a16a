"""The sums of all tenants together, for whoever sees all of them."""

from django.db import migrations, models

# They are nobody's in particular: seen and written only where every tenant is.
PROTECT = """
    ALTER TABLE ocr_platformtally ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ocr_platformtally FORCE ROW LEVEL SECURITY;
    CREATE POLICY everything_only ON ocr_platformtally
        USING ((SELECT current_setting('dtat.everything', true)) = 'on')
        WITH CHECK ((SELECT current_setting('dtat.everything', true)) = 'on');
    CREATE POLICY auditor_reads ON ocr_platformtally FOR SELECT TO dtat_auditor USING (true);
"""
UNPROTECT = """
    DROP POLICY auditor_reads ON ocr_platformtally;
    DROP POLICY everything_only ON ocr_platformtally;
    ALTER TABLE ocr_platformtally NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE ocr_platformtally DISABLE ROW LEVEL SECURITY;
"""
# Nobody may add to the sums between the two, or what they add would be missing here.
FILL = """
    SELECT pg_advisory_xact_lock(hashtext('ocr_tally'));
    SELECT set_config('dtat.everything', 'on', true);
    INSERT INTO ocr_platformtally (span, name, bin, at, n, micros)
        SELECT span, name, bin, at, sum(n), sum(micros) FROM ocr_tally GROUP BY 1, 2, 3, 4;
    SELECT set_config('dtat.everything', 'off', true);
"""


class Migration(migrations.Migration):
    dependencies = [("ocr", "0024_quota_defaults")]

    operations = [
        migrations.CreateModel(
            name="PlatformTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("span", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                ("name", models.CharField(max_length=60)),
                ("bin", models.SmallIntegerField(default=0)),
                ("n", models.BigIntegerField(default=0)),
                ("micros", models.BigIntegerField(default=0)),
            ],
            options={"verbose_name_plural": "platform tallies"},
        ),
        migrations.AddConstraint(
            "platformtally",
            models.UniqueConstraint(fields=("span", "at", "name", "bin"), name="platform_tally_once"),
        ),
        migrations.RunSQL(PROTECT, UNPROTECT),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
