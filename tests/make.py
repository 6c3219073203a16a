"""Builds state through the product's own functions, so an impossible state cannot be a fixture.

Everything beyond `received` needs the fixture `engine` of tests/engine.py. Nothing here waits: `run` makes a step due by moving
its row's `due_at`, as the clock would.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django_q.models import OrmQ
from PIL import Image, ImageDraw

from audit.models import AuditEvent
from dtat_site import invariants
from ocr import artifacts, intake, lifecycle, pipeline, tasks
from ocr.models import Artifact, Document, Extraction, OutboxEvent, Quota, Source, Status
from review import decisions, worklist
from tenants import access, scope
from tenants.models import ApiKey, Membership, Role, Tenant
from tests import engine

_numbers = count(1)
MOST_STEPS = 60

# --- Tenants and people -------------------------------------------------------------------------------------------


def tenant(name: str = "") -> Tenant:
    """A tenant; its slug is the name in lower case with dashes."""
    name = name or f"Tenant {next(_numbers)}"
    with scope.everything():
        return Tenant.objects.create(name=name, slug=name.lower().replace(" ", "-"))


def user(where: Tenant | None, *roles: str, username: str = "", password: str = "", superuser: bool = False) -> User:
    """A person with these roles in the tenant. Use client.force_login; with a password (slow to hash) they can sign in."""
    made = User(username=username or f"person{next(_numbers)}", is_superuser=superuser, is_staff=superuser)
    if password:
        made.set_password(password)
    else:
        made.set_unusable_password()
    made.save()
    if where:
        join(made, where, *roles)
    return made


def join(who: User, where: Tenant, *roles: str) -> None:
    """Give the person further roles, as known to user objects that are loaded from now on."""
    with scope.everything():
        for role in roles:
            Membership.objects.create(user=who, tenant=where, role=Role(role))


def key(where: Tenant, who: User | None = None, *, name: str = "Integration") -> str:
    """The text of a new API key of the tenant; of an uploader and reviewer of its own unless `who` is given."""
    who = who or user(where, Role.UPLOADER, Role.REVIEWER)
    with scope.everything():
        return ApiKey.issue(tenant=where, user=who, name=name)[1]


@dataclass(frozen=True, slots=True)
class Cast:
    """Two tenants and their people. Ben must never see anything of tenant A."""

    a: Tenant
    b: Tenant
    ada: User  # uploader and reviewer of A
    ben: User  # the same of B
    cleo: User  # auditor of A
    sue: User  # supervisor of A
    key: str  # an integration of A (uploader, reviewer)

    def api(self, text: str = "") -> Client:
        """An API client of tenant A (or with the key `text`), without a session."""
        return Client(headers={"Authorization": f"Api-Key {text or self.key}"})

    def page(self, who: User) -> Client:
        """A browser in which `who` is signed in."""
        client = Client()
        client.force_login(who, backend="dtat_site.sessions.PersonBackend")
        return client


def cast() -> Cast:
    """The people that tests speak of."""
    a, b = tenant("Alder"), tenant("Birch")
    return Cast(
        a=a,
        b=b,
        ada=user(a, Role.UPLOADER, Role.REVIEWER, username="ada"),
        ben=user(b, Role.UPLOADER, Role.REVIEWER, username="ben"),
        cleo=user(a, Role.AUDITOR, username="cleo"),
        sue=user(a, Role.SUPERVISOR, username="sue"),
        key=key(a),
    )


# --- Files --------------------------------------------------------------------------------------------------------


def _drawn(text: str) -> Image.Image:
    picture = Image.new("L", (240, 60), 255)
    ImageDraw.Draw(picture).text((8, 8), text, fill=0)
    return picture


def _unlike(text: str) -> str:
    return text or f"slip {next(_numbers)}"


def image(text: str = "") -> bytes:
    """A small PNG with this text; without one, unlike any other. The same text gives the same bytes."""
    stream = io.BytesIO()
    _drawn(_unlike(text)).save(stream, "PNG")
    return stream.getvalue()


def pdf(pages: int = 2, text: str = "") -> bytes:
    """A small PDF with so many pages, else like `image`."""
    first, *others = [_drawn(f"{_unlike(text)} {number}") for number in range(1, pages + 1)]
    stream = io.BytesIO()
    first.save(stream, "PDF", save_all=True, append_images=others, resolution=72, creationDate=None, modDate=None)
    return stream.getvalue()


# --- Documents ----------------------------------------------------------------------------------------------------


def receive(
    where: Tenant,
    content: bytes | None = None,
    *,
    actor: str = "user:ada",
    filename: str = "slip.png",
    document_type: str = "receipt",
    priority: str = "normal",
    external_id: str = "",
    metadata: Mapping[str, object] | None = None,
    source: Source = Source.API,
    idempotency_key: str | None = None,
) -> intake.Receipt:
    """Bytes through the one way in; raises what intake.receive raises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(image() if content is None else content)
        upload = intake.Upload(
            content=path,
            filename=filename,
            document_type=document_type,
            priority=priority,
            external_id=external_id,
            metadata=metadata or {},
            source=source,
            idempotency_key=idempotency_key,
        )
        return intake.receive(upload, tenant_id=where.pk, actor=actor)


def document(
    where: Tenant,
    status: str = "received",
    *,
    pages: Sequence[engine.Page] = (),
    decided_by: User | None = None,
    **received: Any,
) -> Document:
    """A document in this status, brought there the way documents get there.

    `pages` is what the engine reads on it: a clear receipt where it ends `approved` by itself, a doubtful one where a person
    is needed. `approved` is straight through unless `decided_by` says who approved it. Other keywords go to `receive`.
    """
    by_person = status in {"needs_review", "rejected"} or decided_by is not None
    pages = pages or (engine.DOUBTFUL if by_person else engine.CLEAR,)
    if len(pages) > 1:
        received.setdefault("content", pdf(len(pages)))
    made = receive(where, **received).document
    service = engine.running()
    service.reads(*pages, document_id=made.pk)
    if status == "failed":
        service.fail("", engine.error("UnsupportedDocumentException"))
    if status == "reading":
        pipeline.advance(where.pk, made.pk)
    elif status != "received":
        run(made)
    if status == "rejected" or decided_by:
        made = _decided(made, status, decided_by or user(where, Role.REVIEWER))
    made = reload(made)
    assert made.status == status, (
        f"the document is {made.status} ({made.error_code or made.review_reasons}), not {status}"
    )
    return made


def _decided(made: Document, status: str, who: User) -> Document:
    verdict = decisions.Verdict(
        version=reload(made).version,
        decision=decisions.APPROVE if status == "approved" else decisions.REJECT,
        reason="" if status == "approved" else "illegible",
    )
    return decisions.decide(made.pk, who, verdict)


def claim(of: Document, who: User) -> UUID:
    """`who` opens the document for review; the token of the claim."""
    return worklist.claim(of.pk, who).token


# --- Time, work and what became of it -----------------------------------------------------------------------------


def reload(of: Document) -> Document:
    """The document as it now is, whoever's it is."""
    with scope.everything():
        return lifecycle.of(of.pk)


def due(of: Document) -> None:
    """The time for the document's next step has come."""
    with scope.everything():
        Document.objects.filter(pk=of.pk).exclude(step="").update(due_at=Now())
        Quota.objects.update(stopped_until=Now(), tokens=F("granted"))


def lease_expired(of: Document) -> None:
    """The worker that held the document has been silent for too long."""
    with scope.everything():
        Document.objects.filter(pk=of.pk).update(lease_until="2020-01-01T00:00:00Z")


def advance(of: Document) -> Document:
    """Make the next step due, do it, and give the document as it then is."""
    due(of)
    pipeline.advance(of.tenant_id, of.pk)
    return reload(of)


def run(of: Document) -> Document:
    """Work on the document until it rests (waits for a person, is finished or failed)."""
    for _ in range(MOST_STEPS):
        found = advance(of)
        if not found.step:
            return found
    raise AssertionError(f"the document still waits for its step {found.step}: {found.error_code}")


def doorbells() -> list[tuple[str, tuple[str, ...]]]:
    """The queued tasks, oldest first: function and arguments."""
    return [(row.task["func"], tuple(row.task["args"])) for row in OrmQ.objects.order_by("id")]


def answer_doorbells() -> int:
    """Do every queued task, as a worker would; how many there were."""
    rows = list(OrmQ.objects.order_by("id"))
    for row in rows:
        OrmQ.objects.filter(pk=row.pk).delete()
        getattr(tasks, row.task["func"].rsplit(".", 1)[-1])(*row.task["args"])
    return len(rows)


def stored(of: Document, kind: Artifact.Kind) -> list[bytes]:
    """The document's stored objects of this kind, in order."""
    with scope.everything():
        rows = list(Artifact.objects.filter(document=of, kind=kind).order_by("number", "part"))
    return [artifacts.read(row) for row in rows]


def files(where: Tenant) -> list[str]:
    """Every stored object's key of this tenant, whether a row knows it or not."""
    return sorted(stored_key for stored_key, _written in artifacts.listing() if f"/{where.pk}/" in stored_key)


def trail(of: Document) -> list[AuditEvent]:
    """The document's audit rows, oldest first."""
    with scope.everything():
        return list(AuditEvent.objects.filter(chain=f"document:{of.pk}").order_by("seq"))


def events(of: Document) -> list[OutboxEvent]:
    """What was announced about the document, oldest first."""
    with scope.everything():
        return list(OutboxEvent.objects.filter(document_id=of.pk).order_by("created_at"))


def extractions(of: Document) -> list[Extraction]:
    """What was asked of Textract for the document, oldest first."""
    with scope.everything():
        return list(Extraction.objects.filter(document=of))


def broken() -> list[str]:
    """Every invariant that does not hold; an empty list is the only good answer."""
    return [f"{found.id}: {each}" for found in invariants.verify() for each in found.broken]


def is_resting(of: Document) -> bool:
    return lifecycle.TURNS[Status(reload(of).status)] != "worker"


def actor(who: User) -> str:
    """How the audit trail names them."""
    return access.actor_of(who)
