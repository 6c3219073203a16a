from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from ocr import artifacts, batches, manifests
from ocr.models import Batch, Priority
from tenants import scope
from tenants.models import Tenant

LOOK_EVERY = 1.0  # seconds
BAR = 30  # characters
ACTOR = "system"


class Command(BaseCommand):
    help = (
        "Submits a manifest (.json, .jsonl or .csv) as a batch. With --wait it shows how far the batch is until it ends; Ctrl-C only "
        "stops watching, and the same command goes on watching. Exit code 1: rows failed, or the batch was stopped or cancelled."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, metavar="SLUG", help="whose documents they are")
        parser.add_argument("--max-concurrency", type=int, metavar="N", help="documents in flight at once (100)")
        parser.add_argument(
            "--tolerated-failures", type=float, metavar="PERCENT", help="of all rows; beyond it the batch stops (10)"
        )
        parser.add_argument("--priority", choices=[name.lower() for name in Priority.names], help="of the rows (low)")
        parser.add_argument("--wait", action="store_true", help="watch the batch until it ends")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant_id = _tenant(options["tenant"])
        batch = self._submitted(options["file"], tenant_id, options)
        self.stdout.write(f"Batch {batch.pk}: {batch.total} rows.")
        if not options["wait"]:
            return
        try:
            told = self._watch(batch)
        except KeyboardInterrupt:
            self.stderr.write("\nThe batch goes on by itself. The same command watches it again.")
            sys.exit(130)  # as shells say it: ended by Ctrl-C
        if told["counts"]["failed"] or told["status"] != "completed":
            raise CommandError(f"{told['status_text']}; {told['counts']['failed']} rows failed.", returncode=1)

    def _submitted(self, file: Path, tenant_id: UUID, options: dict[str, Any]) -> Batch:
        """The new batch, or the one of this very file that has not ended yet."""
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        format_ = manifests.format_of(file.name)
        if not format_:
            raise CommandError("The file's name has to end in .json, .jsonl or .csv.")
        sha256, _size = artifacts.fingerprint(file)
        with scope.scope([tenant_id]):
            same = Batch.objects.filter(tenant_id=tenant_id, manifest_sha256=sha256, finished_at=None)
            at_work: Batch | None = same.first()
        if at_work:
            self.stdout.write("This manifest is being worked on already.")
            return at_work
        wishes = batches.Wishes(options["max_concurrency"], options["tolerated_failures"], options["priority"])
        try:
            manifest = batches.Manifest(file, format_, file.name)
            return batches.accept(manifest, wishes, tenant_id=tenant_id, actor=ACTOR)
        except batches.Refused as refused:
            lines = [f"Line {fault.line}: {fault.sentence}" for fault in refused.faults]
            raise CommandError("\n".join([str(refused), *lines])) from None

    def _watch(self, batch: Batch) -> dict[str, Any]:
        """Show the progress until the batch ends or rests, and give it as it then is."""
        alive = self.stdout.isatty()
        last = ""
        while True:
            with scope.scope([batch.tenant_id]):
                told = batches.progress(Batch.objects.get(pk=batch.pk))
            line = _line(told)
            if alive:
                self.stdout.write(f"\r{line}\x1b[K", ending="")
                self.stdout.flush()
            elif line != last:
                self.stdout.write(line)
            last = line
            if told["finished_at"] or told["status"] in {"paused", "stopped"}:
                if alive:
                    self.stdout.write("")
                return told
            time.sleep(LOOK_EVERY)


def _line(told: dict[str, Any]) -> str:
    """One line: bar, percent, rows, failures, rate and end."""
    counts, full = told["counts"], int(told["percent"] * BAR / 100)
    settled = counts["done"] + counts["failed"] + counts["cancelled"]
    parts = [f"[{'#' * full}{'.' * (BAR - full)}] {told['percent']:.1f}%  {settled}/{counts['total']}"]
    if counts["failed"]:
        parts.append(f"{counts['failed']} failed")
    if told["documents_per_minute"]:
        end = parse_datetime(told["estimated_end_at"])
        parts.append(f"{told['documents_per_minute']:.0f}/min")
        parts.append(f"done about {localtime(end):%H:%M}" if end else "")
    elif told["status"] != "running":
        parts.append(told["status_text"].lower())
    return ", ".join(filter(None, parts))


def _tenant(slug: str) -> UUID:
    with scope.everything():
        found = Tenant.objects.filter(slug=slug).values_list("pk", flat=True).first()
        known = ", ".join(Tenant.objects.values_list("slug", flat=True)[:20])
    if found is None:
        raise CommandError(f"There is no tenant {slug}. Use one of: {known}.")
    return found
