"""`python -m deploy.local.textract`: starts the endpoint and prints its address as one line of JSON."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from deploy.local.textract.operations import StateInUse, Textract
from deploy.local.textract.server import Server
from deploy.local.textract.stores import Buckets

LATER = ("replay", "simulate")
DEFAULT_STATE = Path("var/textract")


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; the exit code, 2 when it cannot start as asked."""
    options = _parser().parse_args(arguments)
    refusal = _refusal(options)
    if refusal:
        sys.stderr.write(refusal + "\n")
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    buckets = Buckets(dict(options.store))
    try:
        service = Textract(
            state=options.state, buckets=buckets, workers=options.workers, idle_seconds=options.idle_seconds
        )
    except StateInUse as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        server = Server((options.host, options.port), service, controlled=options.control)
    except OSError as error:
        service.close()
        sys.stderr.write(f"Cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port.\n")
        return 2
    _serve(server, service)
    return 0


def _serve(server: Server, service: Textract) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever, which runs in this very thread.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    service.begin()
    sys.stdout.write(json.dumps({"url": server.url}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    service.close()


def _refusal(options: argparse.Namespace) -> str | None:
    if options.mode in LATER:
        return f"The mode {options.mode} comes with a later version. Use --mode ocr."
    if options.mode != "ocr":
        return f"There is no mode {options.mode!r}. Use --mode ocr."
    if options.config:
        return "The mode ocr takes no --config. Leave it out."
    missing = [str(folder) for _, folder in options.store if not folder.is_dir()]
    return f"There is no folder {missing[0]}. Make it, or correct --store." if missing else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.textract", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--mode", default="ocr", help="ocr (reads documents with the local engine)")
    parser.add_argument("--config", type=Path, help="settings of other modes")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, help="folder for jobs, results and pages read")
    parser.add_argument(
        "--store",
        type=_store,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="a folder that stands for a bucket",
    )
    parser.add_argument("--workers", type=_positive, default=os.cpu_count() or 1, help="OCR processes (default: cores)")
    parser.add_argument("--idle-seconds", type=float, default=20.0, help="idle OCR processes end after this")
    parser.add_argument("--control", action="store_true", help="open /_control to callers on this machine")
    return parser


def _store(text: str) -> tuple[str, Path]:
    name, separator, folder = text.partition("=")
    if not (name and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR")
    return name, Path(folder)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
