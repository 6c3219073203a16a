"""Comments with questions, documents assigned to one person, and a tenant's own reasons for rejecting."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from tenants.scope import protect

_OPEN = models.Q(("answered_at__isnull", True), ("asked__isnull", False))
_CASCADE, _PROTECT = django.db.models.deletion.CASCADE, django.db.models.deletion.PROTECT


def _key() -> tuple[str, models.Field]:
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def _tenant() -> tuple[str, models.Field]:
    return ("tenant", models.ForeignKey(on_delete=_PROTECT, related_name="+", to="tenants.tenant"))


def _person(name: str, **options: object) -> tuple[str, models.Field]:
    return (name, models.ForeignKey(related_name="+", to=settings.AUTH_USER_MODEL, **options))


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0008_checks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Assignment",
            fields=[
                _key(),
                ("assigned_by", models.CharField(max_length=160)),
                ("assigned_at", models.DateTimeField()),
                (
                    "document",
                    models.OneToOneField(on_delete=_CASCADE, related_name="assignment", to="ocr.document"),
                ),
                _person("person", on_delete=_CASCADE),
                _tenant(),
            ],
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                _key(),
                ("field", models.CharField(blank=True, max_length=120)),
                ("text", models.TextField(blank=True)),
                ("written_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("erased_at", models.DateTimeField(null=True)),
                (
                    "answers",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=_CASCADE, related_name="+", to="review.comment"
                    ),
                ),
                _person("asked", db_index=False, null=True, on_delete=_PROTECT),
                _person("author", db_index=False, on_delete=_PROTECT),
                (
                    "document",
                    models.ForeignKey(db_index=False, on_delete=_CASCADE, related_name="comments", to="ocr.document"),
                ),
                _tenant(),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["document", "id"], name="comment_of_document"),
                    models.Index(condition=_OPEN, fields=["asked"], name="comment_open_question"),
                    models.Index(
                        condition=models.Q(("erased_at__isnull", True)), fields=["written_at"], name="comment_kept"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(condition=_OPEN, fields=("document",), name="comment_one_open_question"),
                    models.CheckConstraint(
                        condition=models.Q(("answered_at__isnull", True), ("asked__isnull", False), _connector="OR"),
                        name="comment_only_questions_are_answered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("erased_at__isnull", True), ("text", ""), _connector="OR"),
                        name="comment_erased_is_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnReason",
            fields=[
                _key(),
                ("code", models.SlugField(max_length=40)),
                ("label", models.CharField(max_length=80)),
                ("position", models.PositiveSmallIntegerField(default=1)),
                _tenant(),
            ],
            options={
                "verbose_name": "reason for rejecting",
                "verbose_name_plural": "reasons for rejecting",
                "ordering": ["position", "id"],
                "constraints": [models.UniqueConstraint(fields=("tenant", "code"), name="own_reason_once")],
            },
        ),
        protect("review_assignment"),
        protect("review_comment"),
        protect("review_ownreason"),
    ]
