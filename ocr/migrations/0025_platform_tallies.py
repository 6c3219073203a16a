"""The sums of all tenants together, for whoever sees all of them."""

from django.db import migrations, models

from tenants.scope import protect

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
        protect("ocr_platformtally", column=None),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
