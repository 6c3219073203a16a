"""Every broken or malicious file of the shared collection ends in a picture or a refusal, and costs us no memory."""

import os
from pathlib import Path

import pytest

from ocr.sandbox import Sandbox, Unacceptable
from ocr.sandbox.refusals import CODES

SHARED = Path(os.environ.get("DTAT_SHARED", Path(__file__).resolve().parents[3] / "shared"))
HOSTILE = SHARED / "data" / "documents" / "hostile"
GROWTH_KILOBYTES = 100 * 1024


def memory(what: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what)))


def outcome(sandbox: Sandbox, path: Path) -> str:
    try:
        found = sandbox.inspect(path)
        page = sandbox.render(path, page=found.page_count, content_type=found.content_type)
    except Unacceptable as refusal:
        assert refusal.code in CODES
        return refusal.code
    assert max(page.width, page.height) <= 4_000
    return "rendered"


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the shared collection of documents is not here")
def test_every_hostile_file_ends_in_a_picture_or_a_refusal(sandbox: Sandbox) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = memory("VmRSS")
    outcomes = [outcome(sandbox, path) for path in sorted(HOSTILE.iterdir())]
    assert memory("VmHWM") - before < GROWTH_KILOBYTES
    assert {"rendered", "too_complex", "too_many_pixels", "password_protected", "damaged"} <= set(outcomes)
