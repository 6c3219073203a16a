"""Follows the audit chains: exit code 0 when every link holds, 1 with the first broken link of each chain otherwise."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import trail
from tenants import scope


class Command(BaseCommand):
    help = "Verifies the audit chains; exits with 1 and names the first broken link of each chain that does not hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--chain", action="append", metavar="document:UUID", help="only this chain; can be repeated"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted: list[str] | None = options["chain"]
        started = time.monotonic()
        with scope.everything():
            found = trail.examine(wanted)
        seconds = round(time.monotonic() - started, 3)
        if wanted and found.chains < len(set(wanted)):
            raise CommandError("There is no such chain. Chains are named document:UUID or tenant:UUID.")
        self.stdout.write(
            json.dumps({**asdict(found), "seconds": seconds}) if options["json"] else sentences(found, seconds)
        )
        if found.breaks:
            raise SystemExit(1)


def sentences(found: trail.Examination, seconds: float) -> str:
    """The result for people: what was looked at, then one line per broken chain."""
    broken = [f"{at.chain} breaks at event {at.seq}: {at.reason}" for at in found.breaks]
    outcome = f"{len(broken)} broken" if broken else "no break"
    return "\n".join([f"{found.chains} chains, {found.events} events verified in {seconds} s, {outcome}", *broken])
