from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ocr import tallies


class Command(BaseCommand):
    help = (
        "Counts all documents anew for the dashboard and the lists. Nothing is received or decided while it reads them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare; exit 1 and a list when a sum is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self.stdout.write(f"{tallies.rebuild()} changes counted")
            return
        differences = tallies.differences()
        for difference in differences:
            self.stdout.write(difference)
        if differences:
            raise CommandError("The sums are not those of the documents: run rebuild_tallies.")
