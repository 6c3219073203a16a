"""`make bench BENCH=name [QUICK=1]`: runs one benchmark, prints its result and writes it to benchmarks/results/<name>.json."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in NAMES:
        sys.stderr.write(f"Say which benchmark: make bench BENCH=name, one of {', '.join(NAMES)}.\n")
        return 2
    measured: dict[str, Any] = importlib.import_module(f"benchmarks.{name}").measure(
        quick=os.environ.get("QUICK") == "1"
    )
    result = {
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {"cores": os.cpu_count(), "memory_mib": _memory_mib(), "architecture": platform.machine()},
        "versions": {"python": platform.python_version(), "django": importlib.metadata.version("django")},
        "seed": None,
        "figures": {},
        "ratios": {},
    } | measured
    told = json.dumps(result, indent=2) + "\n"
    (FOLDER / "results").mkdir(exist_ok=True)
    (FOLDER / "results" / f"{name}.json").write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    return 0


def _commit() -> str:
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=FOLDER, check=False
    )
    return ran.stdout.strip()


def _memory_mib() -> int:
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20)


if __name__ == "__main__":
    sys.exit(main())
