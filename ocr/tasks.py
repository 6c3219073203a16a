"""The worker door: what django-q2 calls. Their dotted paths are stored in queued tasks, so they stay where they are."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec
from uuid import UUID

from ocr import batches, pages, pipeline, publishing, queue, readers, retention, watch, witness
from ocr.models import Document
from tenants import scope

P = ParamSpec("P")


class TaskFailed(Exception):
    """What django-q2 gets to see, and stores, of an error: its kind. The error's own text may hold values."""


def task(run: Callable[P, object]) -> Callable[P, None]:
    """Every task proves by running that tasks run, and lets no value out through an error."""

    @functools.wraps(run)
    def door(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with watch.alive("workers"):
                run(*args, **kwargs)
            watch.beat_now_and_then("workers")
        except Exception as error:
            logging.getLogger("dtat").exception("task_failed", extra={"ids": {"step": run.__name__}})
            raise TaskFailed(type(error).__name__) from None

    return door


def reading(run: Callable[P, object]) -> Callable[P, None]:
    """The same for readers, whose own sign of life is another one."""

    @functools.wraps(run)
    def door(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            run(*args, **kwargs)
        except Exception as error:
            logging.getLogger("dtat").exception("task_failed", extra={"ids": {"step": run.__name__}})
            raise TaskFailed(type(error).__name__) from None

    return door


@task
def advance(tenant_id: str, document_id: str) -> None:
    """Carry one document on. Safe to run twice, late, or for nothing."""
    pipeline.advance(UUID(tenant_id), UUID(document_id))


@task
def warm(tenant_id: str, document_id: str) -> None:
    """Render the first page. Pictures that exist are left alone; one that cannot be rendered is told when it is asked for."""
    with scope.scope([UUID(tenant_id)]):
        document = Document.objects.filter(pk=document_id).first()
    if document is not None:
        pages.warm(document)


@task
def testify(tenant_id: str, document_id: str) -> None:
    """Have the second witness read the open fields of a waiting document, once for each version of it."""
    with scope.scope([UUID(tenant_id)]):
        document = Document.objects.filter(pk=document_id).first()
    if document is not None:
        witness.testify(document)


@task
def feed(tenant_id: str, batch_id: str) -> None:
    """Make documents of a batch's next rows. Safe to run twice, late, or for nothing."""
    batches.feed(UUID(tenant_id), UUID(batch_id))


@task
def deliver() -> None:
    """Send the events that are due."""
    publishing.deliver()


@task
def tidy() -> None:
    """Delete what belongs to nothing."""
    retention.tidy()


@task
def beat() -> None:
    """Prove that tasks run, also when there is no work."""
    watch.beat("workers")


@reading
def read(lane: str) -> None:
    """Run the lane's reader for its time, and have the next one follow. One too many ends at once."""
    if readers.read(lane):
        queue.ring_reader(lane)
