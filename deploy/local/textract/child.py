"""A process that opens or reads documents for the server: one JSON request a line in, one JSON answer a line out.

`python -m deploy.local.textract.child inspect|read`. Limits are set on itself, so that a hostile file ends this process
and nothing else. It ends when its input ends, and when the server dies.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local.textract import pictures
from deploy.local.textract.reading import to_json
from deploy.local.textract.refusals import Refusal, bad_document

ADDRESS_SPACE_BYTES = {"inspect": 2 << 30, "read": 4 << 30}
CPU_SECONDS_PER_REQUEST = 30

Answer = dict[str, Any]


def main() -> int:
    """Serve requests until the input ends; 0."""
    role = sys.argv[1]
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not get among the answers
    _confine(ADDRESS_SPACE_BYTES[role])
    work = _inspect if role == "inspect" else _reader()
    for request in sys.stdin:
        _renew_cpu_seconds()
        replies.write(json.dumps(_answer(work, json.loads(request))) + "\n")
        replies.flush()
    return 0


def _confine(address_space_bytes: int) -> None:
    # Not PR_SET_PDEATHSIG: it goes by the thread that started us, and the server's threads come and go.
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes our input
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with(server: int) -> None:
    while os.getppid() == server:
        time.sleep(1)
    os._exit(1)


def _renew_cpu_seconds() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS_PER_REQUEST, resource.RLIM_INFINITY))


def _answer(work: Callable[[Answer], Answer], request: Answer) -> Answer:
    try:
        return work(request)
    except Refusal as refusal:
        return _refused(refusal)
    except MemoryError:
        return _refused(bad_document("The document needs more memory than is allowed for one document."))


def _refused(refusal: Refusal) -> Answer:
    return {"refused": {"code": refusal.code, "message": refusal.message}}


def _inspect(request: Answer) -> Answer:
    return {"pages": pictures.count_pages(Path(request["path"]), request["kind"])}


def _reader() -> Callable[[Answer], Answer]:
    from deploy.local.textract.engine import Engine, without_denormals

    without_denormals()
    engine = Engine()

    def read(request: Answer) -> Answer:
        picture = pictures.picture_of(Path(request["path"]), request["kind"], request["page"])
        return {"page": to_json(engine.read(picture))}

    return read


if __name__ == "__main__":
    sys.exit(main())
