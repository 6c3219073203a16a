"""The demo: two tenants, their people, an API key each, and the sample documents that the project draws itself."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

import samples
from ocr import document_types, intake
from ocr.models import Source
from tenants import changes, scope
from tenants.models import Membership, Role, Tenant

# username -> (shown name, tenant, roles)
PEOPLE: Mapping[str, tuple[str, str, tuple[Role, ...]]] = {
    "reviewer": ("Mira Okafor", "kestrel", (Role.UPLOADER, Role.REVIEWER)),
    "second_reviewer": ("Jonas Teller", "kestrel", (Role.UPLOADER, Role.REVIEWER)),
    "supervisor": ("Ana Lindqvist", "kestrel", (Role.SUPERVISOR,)),
    "auditor": ("Dev Raman", "kestrel", (Role.AUDITOR,)),
    "integration": ("", "kestrel", (Role.UPLOADER, Role.REVIEWER)),
    "harrow_reviewer": ("Ines Duarte", "harrow", (Role.UPLOADER, Role.REVIEWER)),
    "harrow_integration": ("", "harrow", (Role.UPLOADER, Role.REVIEWER)),
}
ACTOR = "system:samples"
TENANTS = {"kestrel": "Kestrel Clinics", "harrow": "Harrow Mutual"}


def load(credentials: Path, *, also: Mapping[str, Any], with_documents: bool) -> dict[str, Any]:
    """Make what is not there yet and write the credentials file (mode 600); what it says now."""
    known: dict[str, Any] = json.loads(credentials.read_text(encoding="utf-8")) if credentials.exists() else {}
    if "admin" not in known or not User.objects.filter(username="admin").exists():
        known = _people()
    known |= also
    _write(credentials, known)
    if with_documents:
        load_documents()
        known["samples_loaded"] = True
        _write(credentials, known)
    return known


def _people() -> dict[str, Any]:
    passwords = {name: secrets.token_urlsafe(12) for name in ("admin", *PEOPLE)}
    with scope.everything(), transaction.atomic():
        tenants = {
            slug: Tenant.objects.get_or_create(slug=slug, defaults={"name": name})[0] for slug, name in TENANTS.items()
        }
        _user("admin", "Mika Sand", passwords["admin"], superuser=True)
        users = {name: _user(name, shown, passwords[name]) for name, (shown, _tenant, _roles) in PEOPLE.items()}
        for name, (_shown, slug, roles) in PEOPLE.items():
            held = set(Membership.objects.filter(user=users[name]).values_list("role", flat=True))
            for role in set(roles) - held:
                changes.add_member(Membership(user=users[name], tenant=tenants[slug], role=role), actor=ACTOR)
        keys = {
            slug: changes.issue_key(tenant=tenants[slug], user=users[name], name="Demo integration", actor=ACTOR)[1]
            for slug, name in (("kestrel", "integration"), ("harrow", "harrow_integration"))
        }

    def who(name: str) -> dict[str, str]:
        return {"username": name, "password": passwords[name]}

    return {
        **{name: who(name) for name in ("admin", "reviewer", "second_reviewer", "supervisor", "auditor")},
        "api_key": keys["kestrel"],
        "second_tenant": {"reviewer": who("harrow_reviewer"), "api_key": keys["harrow"]},
    }


def _user(name: str, shown: str, password: str, *, superuser: bool = False) -> User:
    first, _, last = shown.partition(" ")
    user, _made = User.objects.update_or_create(
        username=name,
        defaults={"first_name": first, "last_name": last, "is_superuser": superuser, "is_staff": superuser},
    )
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


def load_documents() -> int:
    """Draw the samples and receive them like any upload; how many there are. A sample that is there stays as it is."""
    with scope.everything():
        tenant = Tenant.objects.get(slug="kestrel")
    with tempfile.TemporaryDirectory() as folder:
        drawn = samples.draw(Path(folder))
        known = {row.name for row in document_types.newest()}
        for sample in drawn:
            upload = intake.Upload(
                content=sample.path,
                filename=sample.path.name,
                document_type=sample.document_type if sample.document_type in known else "",
                source=Source.SAMPLE,
                idempotency_key=f"sample-{sample.path.name}",
            )
            intake.receive(upload, tenant_id=tenant.pk, actor=ACTOR)
    return len(drawn)


def _write(path: Path, known: Mapping[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(known, stream, indent=2)
