from __future__ import annotations

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection

from audit import log
from ocr import batches, pages, queue, readers, tallies, watch

BEAT_EVERY = 5.0  # seconds
TIDY_EVERY = 3600.0


class Command(BaseCommand):
    help = "Keeps a reader running in each lane, asks the workers for a sign of life, and has events delivered. Runs for ever."

    def handle(self, *args: Any, **options: Any) -> None:
        self.running = True
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        next_beat = next_tidy = 0.0
        while self.running:
            close_old_connections()
            try:
                readers.ring_due()
                batches.ring_due()
                pages.ring_ahead()
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + BEAT_EVERY
                    watch.beat("pulse")
                    tallies.fold()
                    queue.ring_all(queue.BEAT)
                    queue.ring_all(queue.DELIVER)
                if time.monotonic() >= next_tidy:
                    next_tidy = time.monotonic() + TIDY_EVERY
                    queue.ring_all(queue.TIDY)
            except DatabaseError as error:
                # The database may be down for a while; the next second tries again, on a new connection.
                log.event("pulse_without_database", error=error)
                connection.close()
            time.sleep(1)

    def _stop(self, number: int, frame: Any) -> None:
        self.running = False
