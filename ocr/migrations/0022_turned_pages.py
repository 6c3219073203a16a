"""A person may turn a page; fields may be missed by the engine, rows taken out."""

from django.db import migrations, models

STATES = ["certain", "open", "checked", "corrected", "absent", "unreadable", "missed", "removed"]


class Migration(migrations.Migration):
    dependencies = [("ocr", "0021_withdrawn_events")]

    operations = [
        migrations.AddField("page", "turn", models.PositiveSmallIntegerField(default=0, db_default=0)),
        migrations.AddConstraint(
            "page",
            models.CheckConstraint(condition=models.Q(turn__in=[0, 90, 180, 270]), name="page_turn_known"),
        ),
        migrations.RemoveConstraint("field", "field_state_known"),
        migrations.AddConstraint(
            "field", models.CheckConstraint(condition=models.Q(state__in=STATES), name="field_state_known")
        ),
    ]
