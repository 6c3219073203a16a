"""The admin's door: who gets in, and that a tenant's own administrators see nothing of another tenant there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from tenants import scope
from tests.access.world import World, leaks, state

pytestmark = pytest.mark.django_db

MODELS = list(admin.site._registry)


def name(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("anonymous", 302),
        ("uploader", 302),
        ("reviewer", 302),
        ("supervisor", 302),
        ("reviewer_b", 302),
        ("key_b", 302),
        ("auditor", 200),
        ("tenant_admin", 200),
        ("platform", 200),
    ],
)
def test_who_gets_in(world: World, role: str, status: int) -> None:
    answer = world.client(role).get("/admin/")
    assert answer.status_code == status
    if status == 302:
        assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("role", ["anonymous", "reviewer_b", "auditor_b"])
def test_nothing_of_another_tenant_is_shown_or_changed(world: World, role: str, model: type[Model]) -> None:
    client = world.client(role)
    usual = {200, 302, 403, 404}
    for page in ("changelist", "add"):
        answer = client.get(reverse(name(model, page)))
        assert answer.status_code in usual
        assert leaks(answer) == [], page
    before = state()
    with scope.everything():
        rows: list[Any] = list(model._default_manager.filter(**_of_a(world, model))[:3])
    for row in rows:
        for page in ("change", "delete", "history"):
            for method in ("get", "post"):
                answer = getattr(client, method)(reverse(name(model, page), args=[row.pk]))
                assert answer.status_code in {302, 403, 404}, (page, method)
                assert leaks(answer) == [], (page, method)
    assert state() == before


def _of_a(world: World, model: type[Model]) -> dict[str, Any]:
    fields = {field.name for field in model._meta.get_fields()} | {
        field.attname for field in model._meta.concrete_fields
    }
    if "tenant_id" in fields:
        return {"tenant_id": world.a.pk}
    if model._meta.model_name == "tenant":
        return {"pk": world.a.pk}
    return {"pk": world.people["reviewer"].pk} if model._meta.model_name == "user" else {}
