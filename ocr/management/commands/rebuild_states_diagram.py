from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ocr import lifecycle

PATH = settings.BASE_DIR / "docs" / "states.md"
PAGE = """# States of a document

Drawn from the table in `ocr/lifecycle.py` by `manage.py rebuild_states_diagram`; do not edit by hand.

```mermaid
{diagram}
```

| status | whose turn |
|---|---|
{turns}
"""


class Command(BaseCommand):
    help = "Draws docs/states.md from the table of legal moves; --check fails when the file is stale."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        turns = "\n".join(f"| `{status}` | {turn} |" for status, turn in lifecycle.TURNS.items())
        page = PAGE.format(diagram=lifecycle.diagram(), turns=turns)
        if options["check"]:
            if not PATH.exists() or PATH.read_text(encoding="utf-8") != page:
                raise CommandError("docs/states.md is stale: run manage.py rebuild_states_diagram")
            return
        PATH.write_text(page, encoding="utf-8")
