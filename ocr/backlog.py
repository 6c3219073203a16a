"""Whether more may be taken in: above a backlog that nobody can work off soon, an honest refusal helps senders more than a place
at the end of the line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from ocr.models import Document
from tenants import scope

FRESH_SECONDS = 5.0


class Full(Exception):
    """There is too much work already: nothing was accepted."""

    code = "backlog_full"
    retry_after = 60  # seconds

    def __init__(self) -> None:
        super().__init__(_("More documents wait here than can be read soon. Send it again in a minute."))


class TenantFull(Exception):
    """The tenant has too much work here already: nothing was accepted."""

    code = "tenant_backlog_full"
    retry_after = 60

    def __init__(self) -> None:
        super().__init__(_("Too many of your documents wait to be read. Send it again in a minute, or send a batch."))


class _Counts:
    """Documents with work to do, by tenant, counted once in a while per process."""

    def __init__(self) -> None:
        self._counted: Mapping[UUID, int] = {}
        self._counted_at = float("-inf")
        self._lock = Lock()

    def now(self) -> Mapping[UUID, int]:
        """Figures at most FRESH_SECONDS old, or a little older while another thread counts."""
        if time.monotonic() - self._counted_at >= FRESH_SECONDS and self._lock.acquire(blocking=not self._counted):
            try:
                if time.monotonic() - self._counted_at >= FRESH_SECONDS:
                    self._counted, self._counted_at = _count(), time.monotonic()
            finally:
                self._lock.release()
        return self._counted

    def forget(self) -> None:
        self._counted_at = float("-inf")


counts = _Counts()


def check(tenant_id: UUID) -> None:
    """Raise Full or TenantFull when one more document of the tenant would be too much (DTAT_BACKLOG_MOST, DTAT_BACKLOG_TENANT_MOST)."""
    waiting = counts.now()
    if sum(waiting.values()) >= settings.BACKLOG_MOST:
        raise Full
    if waiting.get(tenant_id, 0) >= settings.BACKLOG_TENANT_MOST:
        raise TenantFull


def _count() -> dict[UUID, int]:
    with scope.everything():  # the whole machine's work, whoever asks; only numbers leave this module
        rows = Document.objects.exclude(step="").order_by().values_list("tenant_id").annotate(count=Count("pk"))
        return dict(rows)
