"""Empties the text of comments that are older than DTAT_COMMENT_DAYS; who commented on what, and when, stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from review import comments


class Command(BaseCommand):
    help = "Empties the text of comments that are older than DTAT_COMMENT_DAYS, or than --days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=settings.COMMENT_DAYS, help="older than so many days")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            self.stdout.write("Comments stay: set DTAT_COMMENT_DAYS, or give --days.")
            return
        gone = comments.erase_older(timedelta(days=options["days"]))
        self.stdout.write(f"The text of {gone} comments is gone.")
