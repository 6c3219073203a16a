from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dtat_site import invariants


class Command(BaseCommand):
    help = "Computes every invariant. Exit 0 when all hold; 1 with a list when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--textract-control", default="", metavar="URL", help="compare with the local endpoint's bill too"
        )
        parser.add_argument(
            "--replay-limit", type=int, default=500, metavar="N", help="how many documents are read again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = invariants.verify(control_url=options["textract_control"], replay_limit=options["replay_limit"])
        broken = sum(len(invariant.broken) for invariant in found)
        if options["json"]:
            told = {"ok": not broken, "broken": broken, "invariants": [asdict(invariant) for invariant in found]}
            self.stdout.write(json.dumps(told, indent=2))
        else:
            self._print(found, broken)
        if broken:
            sys.exit(1)

    def _print(self, found: list[invariants.Invariant], broken: int) -> None:
        for invariant in found:
            mark = "broken" if invariant.broken else "ok"
            self.stdout.write(f"{invariant.id:<4} {mark:<6} {invariant.checked:>7} checked  {invariant.says}")
            for line in invariant.broken[:50]:
                self.stdout.write(f"       - {line}")
        self.stdout.write("verify: clean" if not broken else f"verify: {broken} broken")
