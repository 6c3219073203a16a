from __future__ import annotations

import logging
import signal
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, connection

from audit import log
from ocr import completions, watch

AGAIN_SECONDS = 3.0


class Command(BaseCommand):
    help = "Hears from the SQS queue which of Textract's jobs have ended, and has them looked at. Runs for ever."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TEXTRACT_NOTICES:
            raise CommandError("Set DTAT_TEXTRACT_NOTICES to the URL of the queue that Textract's topic delivers to.")
        self.running = True
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while self.running:
            close_old_connections()
            try:
                completions.hear()
                watch.beat_now_and_then(completions.BEAT)
            except (BotoCoreError, ClientError) as error:
                # No beat: as long as nobody hears the queue, jobs are polled. The watchdog's new process has a new connection.
                log.event("completions_without_queue", level=logging.WARNING, error=error)
                time.sleep(AGAIN_SECONDS)
            except DatabaseError as error:
                log.event("completions_without_database", error=error)
                connection.close()
                time.sleep(AGAIN_SECONDS)

    def _stop(self, number: int, frame: Any) -> None:
        self.running = False
