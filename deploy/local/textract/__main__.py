"""`python -m deploy.local.textract`: starts the endpoint and prints its address as one line of JSON."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.local.textract.refusals import Refusal
from deploy.local.textract.stores import Buckets, StateInUse

if TYPE_CHECKING:
    from deploy.local.textract.simulator.answers import Source
    from deploy.local.textract.simulator.knobs import Settings

DEFAULT_STATE = Path("var/textract")


class CannotStart(Exception):
    """The endpoint cannot start as it was asked to; says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; the exit code, 2 when it cannot start as asked."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        _check(options)
        MODES[options.mode](options, Buckets(dict(options.store)))
    except (CannotStart, StateInUse) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


# Each mode loads what it needs and no more: the simulator is to stay small, and the engine's side needs no event loop.


def _ocr(options: argparse.Namespace, buckets: Buckets) -> None:
    from deploy.local.textract.operations import Textract
    from deploy.local.textract.server import Server

    if options.config:
        raise CannotStart("The mode ocr takes no --config. Leave it out.")
    service = Textract(state=options.state, buckets=buckets, workers=options.workers, idle_seconds=options.idle_seconds)
    try:
        server = Server((options.host, options.port), service, controlled=options.control)
    except OSError as error:
        service.close()
        raise _no_port(options, error) from None
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever, which runs in this very thread.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    service.begin()
    sys.stdout.write(json.dumps({"url": server.url}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    service.close()


def _simulate(options: argparse.Namespace, buckets: Buckets) -> None:
    from deploy.local.textract.simulator.knobs import DEFAULTS
    from deploy.local.textract.simulator.pool import Drawn

    _answer_alone(options, buckets, DEFAULTS, _config(options.config), lambda s: Drawn(s.knobs.answers, s.knobs.seed))


def _replay(options: argparse.Namespace, buckets: Buckets) -> None:
    from deploy.local.textract.simulator.knobs import REPLAY_DEFAULTS
    from deploy.local.textract.simulator.recordings import Recorded, entries

    if options.config is None:
        raise CannotStart("The mode replay needs --config FILE: which recorded answer is for which document.")
    config = _config(options.config)
    fresh_ids = config.pop("fresh_ids", False)
    try:
        recorded = Recorded(entries(config, options.config.parent), buckets, fresh_ids=bool(fresh_ids))
    except Refusal as refusal:
        raise CannotStart(f"{options.config}: {refusal.message}") from None
    _answer_alone(options, buckets, REPLAY_DEFAULTS, config, lambda _settings: recorded)


def _answer_alone(
    options: argparse.Namespace,
    buckets: Buckets,
    defaults: dict[str, Any],
    config: dict[str, Any],
    make: "Callable[[Settings], Source]",
) -> None:
    """Serves what needs no engine."""
    from deploy.local.textract.simulator.knobs import Settings
    from deploy.local.textract.simulator.operations import Simulator
    from deploy.local.textract.simulator.wire import serve

    try:
        settings = Settings(defaults, config)
        simulator = Simulator(settings=settings, make=make, buckets=buckets, state=options.state)
    except Refusal as refusal:
        raise CannotStart(f"{options.config}: {refusal.message}") from None
    try:
        asyncio.run(serve(simulator, options.host, options.port, controlled=options.control))
    except OSError as error:
        raise _no_port(options, error) from None
    finally:
        simulator.close()


MODES: dict[str, Callable[[argparse.Namespace, Buckets], None]] = {
    "ocr": _ocr,
    "simulate": _simulate,
    "replay": _replay,
}


def _check(options: argparse.Namespace) -> None:
    if options.mode not in MODES:
        raise CannotStart(f"There is no mode {options.mode!r}. Use one of {', '.join(MODES)}.")
    missing = [str(folder) for _, folder in options.store if not folder.is_dir()]
    if missing:
        raise CannotStart(f"There is no folder {missing[0]}. Make it, or correct --store.")


def _config(path: Path | None) -> dict[str, Any]:
    """The settings in a YAML file; none without a file."""
    if path is None:
        return {}
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CannotStart(f"{path} cannot be read as YAML: {error}") from None
    if not isinstance(found, dict):
        raise CannotStart(f"{path} must hold a structure of settings.")
    return found


def _no_port(options: argparse.Namespace, error: OSError) -> CannotStart:
    return CannotStart(f"Cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.textract", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--mode", default="ocr", help="ocr (reads documents), simulate (draws answers) or replay")
    parser.add_argument("--config", type=Path, help="settings of the modes simulate and replay, YAML")
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
