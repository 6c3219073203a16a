"""gunicorn: threads, since a slow upload must not hold a whole worker; put nginx in front on the open internet."""

import os
from pathlib import Path

bind = f"{os.environ.get('DTAT_HOST', '127.0.0.1')}:{os.environ.get('DTAT_PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("DTAT_WEB_WORKERS", "2"))
threads = int(os.environ.get("DTAT_WEB_THREADS", "160"))
preload_app = True  # the workers share the loaded code's memory; nothing is connected before the fork
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 5000
max_requests_jitter = 500
limit_request_line = 4094
limit_request_fields = 60
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
accesslog = None  # the application writes one line per request, without addresses or values
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
