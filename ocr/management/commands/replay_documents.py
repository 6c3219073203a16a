from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from ocr import document_types, replays
from ocr.models import ReplayRun
from tenants import scope
from tenants.models import Tenant

LOOK_EVERY = 0.5  # seconds
BAR = 30  # characters
ACTOR = "system"
PR_SET_PDEATHSIG = 1


class Command(BaseCommand):
    help = (
        "Reads stored answers again, without calling Textract, and tells what would change: values, problems, the way to a person, and "
        "how many fields that people approved would be right. With --apply, undecided documents get what is found as a new version. "
        "Exit code 1: a stored answer is gone or was changed. What was interrupted goes on with --resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="whose documents (all tenants')")
        parser.add_argument(
            "--document-type", default="", metavar="NAME[@VERSION]",
            help="read as this type (the newest version), the documents that have this type now; "
            "otherwise each with the newest version of its own",
        )  # fmt: skip
        parser.add_argument(
            "--of", default="", metavar="NAME", help="take the documents that have this type now instead"
        )
        parser.add_argument(
            "--since", type=_moment, metavar="DATE", help="received from then on (2026-03-01, or with a time)"
        )
        parser.add_argument("--until", type=_moment, metavar="DATE", help="received before")
        parser.add_argument("--limit", type=_from_one, metavar="N", help="at most so many, the oldest first")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="only tell (the default)")
        what.add_argument("--apply", action="store_true", help="write new versions of undecided documents")
        what.add_argument(
            "--resume", nargs="?", const="newest", metavar="RUN", help="go on with the run that was interrupted last"
        )
        parser.add_argument(
            "--processes", type=_from_one, default=2, metavar="N", help="that read at the same time (2)"
        )
        parser.add_argument("--json", action="store_true", help="tell it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        run = self._run(options)
        self.stderr.write(f"Replay {run.pk}: {run.documents} documents.")
        try:
            whole = self._work(run, options["processes"])
        except KeyboardInterrupt:
            self.stderr.write(f"\nInterrupted. Go on with: replay_documents --resume {run.pk}")
            sys.exit(130)  # as shells say it: ended by Ctrl-C
        told = {**replays.finish(run), "seconds": round(time.monotonic() - begun, 1)}
        if not whole or not told["ended"]:
            raise CommandError(f"Not all was read. Go on with: replay_documents --resume {run.pk}")
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _page(told))
        if told["answer_lost"]:
            raise CommandError(f"{told['answer_lost']} stored answers are gone or were changed: run verify.")

    def _run(self, options: dict[str, Any]) -> ReplayRun:
        try:
            if options["resume"]:
                self._refuse_beside_resume(options)
                return replays.resume(None if options["resume"] == "newest" else _uuid(options["resume"]))
            return replays.plan(
                replays.Wishes(
                    tenant_id=_tenant(options["tenant"]) if options["tenant"] else None,
                    read_as=options["document_type"],
                    of=options["of"],
                    since=options["since"],
                    until=options["until"],
                    limit=options["limit"],
                    apply=options["apply"],
                )
            )
        except (document_types.Unknown, replays.NoSuchRun) as unknown:
            raise CommandError(str(unknown)) from None

    def _refuse_beside_resume(self, options: dict[str, Any]) -> None:
        given = [name for name in ("tenant", "document_type", "of", "since", "until", "limit") if options[name]]
        if given:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise CommandError(f"--resume goes on with what was asked for at the beginning: leave out {names}.")

    def _work(self, run: ReplayRun, processes: int) -> bool:
        """Have the run worked on, showing how far it is; whether every process came to its end."""
        if processes == 1:
            _guarded(run)
            return True
        connections.close_all()
        fork = multiprocessing.get_context("fork")
        workers = [fork.Process(target=_child, args=(run, os.getpid())) for _ in range(processes)]
        for worker in workers:
            worker.start()
        try:
            self._watch(run, workers)
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()
        return all(worker.exitcode == 0 for worker in workers)

    def _watch(self, run: ReplayRun, workers: list[Any]) -> None:
        alive, begun = self.stderr.isatty(), time.monotonic()
        at_first = replays.settled(run) if alive else 0
        while any(worker.is_alive() for worker in workers):
            for worker in workers:
                worker.join(LOOK_EVERY / len(workers))
            if alive:
                done = replays.settled(run)
                line = _line(done, run.documents, (done - at_first) / (time.monotonic() - begun))
                self.stderr.write(f"\r{line}\x1b[K", ending="")
                self.stderr.flush()
        if alive:
            self.stderr.write("")


def _child(run: ReplayRun, parent: int) -> None:
    """A worker, which ends with the command that started it, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group, and the command ends its workers
    try:
        _guarded(run)
    except CommandError as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(1)


def _guarded(run: ReplayRun) -> None:
    try:
        replays.work(run, actor=ACTOR)
    except (OSError, ClientError, BotoCoreError) as error:
        raise CommandError(f"The document storage does not answer: {error}. Go on with --resume {run.pk}") from None


def _line(done: int, of: int, per_second: float) -> str:
    """One line: bar, percent, documents, rate and rest."""
    share = done / of if of else 1.0
    parts = [f"[{'#' * int(share * BAR):.<{BAR}}] {share:.1%}  {done}/{of}"]
    if per_second > 0:
        parts.append(f"{per_second:.0f}/s, {(of - done) / per_second:.0f} s left")
    return ", ".join(parts)


def _page(told: dict[str, Any]) -> str:
    """The same for people."""
    verb = "would change" if told["dry_run"] else "change"
    lines = [
        f"{told['read']} of {told['documents']} documents read again in {told['seconds']} s; {told['with_changes']} {verb}."
    ]
    if not told["dry_run"]:
        lines.append(f"{told['applied']} undecided documents have a new version.")
    for name, sentence in _NOTES.items():
        if told[name]:
            lines.append(sentence.format(told[name]))
    for name, title in (("types", "Read as"), ("type_changes", "Another type or version"), ("routes", "Way")):
        lines += [f"{title}:", *(f"  {what}: {count}" for what, count in sorted(told.get(name, {}).items()))]
    for type_, fields in sorted(told.get("fields", {}).items()):
        lines.append(f"Fields of {type_}:")
        for field, counts in sorted(fields.items()):
            lines.append(f"  {field}: {', '.join(f'{n} {_WORDS[kind]}' for kind, n in counts.items())}")
    lines += _truth(told.get("truth", {}))
    return "\n".join([*lines, f"sha256 {told['sha256']}"])


def _truth(told: dict[str, Any]) -> list[str]:
    if not told:
        return []
    lines = [f"Beside what people approved ({told['documents']} documents), right before -> after, of:"]
    for type_, fields in sorted(told["fields"].items()):
        for field, counts in sorted(fields.items()):
            before, after = counts.get("before_right", 0), counts.get("after_right", 0)
            lines.append(f"  {type_} {field}: {before} -> {after}, of {before + counts.get('before_wrong', 0)}")
    return lines


_WORDS = {
    "changed": "another value", "gained": "found", "lost": "no longer found", "problems_gone": "with fewer problems",
    "problems_new": "with more problems",
}  # fmt: skip
_NOTES = {
    "left_to_a_person": "{} undecided documents were left alone: a person decided on their fields before.",
    "overtaken": "{} documents were changed meanwhile and left alone.",
    "without_answer": "{} documents have no stored answer any more.",
    "answer_lost": "{} stored answers are gone or were changed.",
}


def _moment(given: str) -> datetime:
    day = parse_date(given) if len(given) <= len("2026-03-01") else None
    try:
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(given)  # noqa: DTZ001  made aware below
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(given)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


_moment.__name__ = "date"  # argparse says so: invalid date value


def _from_one(given: str) -> int:
    number = int(given)
    if number < 1:
        raise ValueError(given)
    return number


_from_one.__name__ = "number from 1"


def _uuid(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise CommandError(f"{given} is no id of a replay.") from None


def _tenant(slug: str) -> UUID:
    with scope.everything():
        found = Tenant.objects.filter(slug=slug).values_list("pk", flat=True).first()
        known = ", ".join(Tenant.objects.values_list("slug", flat=True)[:20])
    if found is None:
        raise CommandError(f"There is no tenant {slug}. Use one of: {known}.")
    return found
