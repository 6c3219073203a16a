"""gunicorn: many threads, since callers of POST /ocr wait in them; put nginx in front on the open internet."""

import gc
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

bind = f"{os.environ.get('DTAT_HOST', '127.0.0.1')}:{os.environ.get('DTAT_PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("DTAT_WEB_WORKERS", "2"))
# Made when they are needed, by the first burst that needs them.
threads = int(os.environ.get("DTAT_WEB_THREADS", "256"))
preload_app = True  # the workers share the loaded code's memory; nothing is connected before the fork
timeout = 60
graceful_timeout = 65  # seconds: longer than anybody waits, so that a worker that has done max_requests cuts nobody off
keepalive = 5
max_requests = 20_000
max_requests_jitter = 4_000
limit_request_line = 4094
limit_request_fields = 60
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
accesslog = None  # the application writes one line per request, without addresses or values
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def when_ready(server: Any) -> None:
    """What was loaded stays loaded: taken out of the collector's sight, its memory is not copied into each worker by being looked at."""
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Told to stop, a worker sends home who waits for a document: a new release does not wait for the slowest of them."""

    def stop(number: int, frame: FrameType | None) -> None:
        sys.modules["dtat_site.wsgi"].leave()
        worker.handle_exit(number, frame)

    signal.signal(signal.SIGTERM, stop)
