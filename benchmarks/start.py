"""How long the one-machine start takes, first and second time, and what it holds in memory at rest.

The first time counts from an empty DTAT_HOME with everything installed; installation depends on the network and is not in it.
Memory is the proportional set size (PSS) summed over all processes, after the samples were read and the OCR processes ended.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.product import Product

REST_SECONDS = 60  # the OCR processes end after 20 s without work


def measure(*, quick: bool) -> dict[str, Any]:
    """Figures in seconds and MiB; the ratio is second to first start."""
    with tempfile.TemporaryDirectory(prefix="dtat-bench-") as folder:
        Path(folder).chmod(0o711)
        product = Product(Path(folder) / "home", DTAT_SAMPLES="0" if quick else "1")
        first = _started(product)
        product.stop()
        second = _started(product)
        try:
            _until_read(product)
            time.sleep(5 if quick else REST_SECONDS)
            processes = product.processes()
            pss = sum(_pss_kib(pid) for pid in processes) / 1024
        finally:
            product.stop()
        left = len(product.processes())
    figures = {
        "first_start_seconds": round(first, 1),
        "second_start_seconds": round(second, 1),
        "pss_at_rest_mib": round(pss),
        "processes": len(processes),
        "processes_left_after_stop": left,
    }
    return {"figures": figures, "ratios": {"second_to_first": round(second / first, 2)}}


def _started(product: Product) -> float:
    product.output.unlink(missing_ok=True)
    begun = time.monotonic()
    product.start()
    return time.monotonic() - begun


def _until_read(product: Product) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        rows = product.api("GET", "/api/v1/documents/").json()["results"]
        if all(row["status"] not in {"received", "reading"} for row in rows):
            return
        time.sleep(1)
    raise RuntimeError("the samples were not read in five minutes")


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended in the meantime
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
