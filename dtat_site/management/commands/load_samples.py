from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dtat_site import demo


class Command(BaseCommand):
    help = "Makes the demo tenants, their people and the drawn sample documents, once, and writes the credentials file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--credentials", type=Path, default=settings.DTAT_HOME / "credentials.json")
        parser.add_argument("--also", type=json.loads, default={}, help="JSON object to put into the credentials file")
        parser.add_argument("--without-documents", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo's users do not belong into a production database.")
        demo.load(options["credentials"], also=options["also"], with_documents=not options["without_documents"])
