"""A POST that is sent twice with the same Idempotency-Key is done once, and answered the same way.

The key is written in the transaction of what it guards, so it exists exactly when the effect does; a concurrent twin waits for
that commit on the unique index and then finds the first one's answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from audit import prepared
from ocr import rows
from ocr.models import IdempotencyKey
from tenants import scope

_ACCEPTED = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(Exception):
    """The key was used for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(_("This Idempotency-Key was used for another request. Make a new key for a new request."))


class BadKey(Exception):
    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__(_("An Idempotency-Key is 1 to 255 visible ASCII characters, for example a UUID."))


@dataclass(frozen=True, slots=True)
class Request:
    """What a key stands for: the route and the hash of everything that decides the outcome."""

    key: str
    route: str
    body_sha256: str

    @classmethod
    def of(cls, key: str | None, route: str, *parts: str) -> Request | None:
        """None without a key. Raises BadKey."""
        if key is None:
            return None
        if not _ACCEPTED.fullmatch(key):
            raise BadKey
        digest = hashlib.sha256("\x00".join(parts).encode()).hexdigest()
        return cls(key, route, digest)


def known(tenant_id: UUID, request: Request | None) -> IdempotencyKey | None:
    """The first answer to this request, or None. Raises KeyReused when the key stood for something else."""
    if request is None:
        return None
    of_key = "WHERE tenant_id = $1::uuid AND key = $2::text"
    found = next(iter(prepared.objects(IdempotencyKey, of_key, tenant_id, request.key)), None)
    if found and (found.route, found.body_sha256) != (request.route, request.body_sha256):
        raise KeyReused
    return found


def keep(
    tenant_id: UUID, request: Request, *, answer: Mapping[str, Any], status_code: int, document_id: UUID | None
) -> None:
    """Write the answer, in the caller's transaction. Raises IntegrityError when a twin was first."""
    rows.insert(row(tenant_id, request, answer=answer, status_code=status_code, document_id=document_id))


def row(
    tenant_id: UUID, request: Request, *, answer: Mapping[str, Any], status_code: int, document_id: UUID | None
) -> IdempotencyKey:
    """The answer's row for whoever writes it with others: saving it raises IntegrityError when a twin was first."""
    return IdempotencyKey(
        tenant_id=tenant_id,
        key=request.key,
        route=request.route,
        body_sha256=request.body_sha256,
        document_id=document_id,
        answer=dict(answer),
        status_code=status_code,
    )


def once(
    tenant_id: UUID, request: Request | None, act: Callable[[], tuple[int, dict[str, Any]]], *, document_id: UUID | None
) -> tuple[int, dict[str, Any]]:
    """Do `act` and keep its answer, or give the kept answer. For acts that only touch the database."""
    try:
        with scope.scope([tenant_id]):
            first = known(tenant_id, request)
            if first:
                return first.status_code, first.answer
            status_code, answer = act()
            if request:
                keep(tenant_id, request, answer=answer, status_code=status_code, document_id=document_id)
            return status_code, answer
    except Exception:
        # A twin that was a moment earlier makes this one fail, on the key itself or on what the act already changed.
        with scope.scope([tenant_id]):
            first = known(tenant_id, request)
        if first is None:
            raise
        return first.status_code, first.answer
