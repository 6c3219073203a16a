"""What others wrote and we ship is what they published, and its licence stands beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
PUBLISHED = {"htmx-2.0.11/htmx.min.js": "htmx.org/dist/htmx.min.js", "htmx-2.0.11/LICENSE": "htmx.org/LICENSE"}


def test_every_file_has_the_checksum_that_is_written_down() -> None:
    lines = [line.split("  ") for line in (VENDOR / "SHA256SUMS").read_text().splitlines()]
    listed = {name: checksum for checksum, name in lines}
    files = [path for path in VENDOR.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    assert {str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == listed


def test_every_library_has_its_licence() -> None:
    assert [folder.name for folder in VENDOR.iterdir() if folder.is_dir() and not (folder / "LICENSE").exists()] == []


@pytest.mark.parametrize("ours", PUBLISHED)
def test_it_is_what_the_registry_has(ours: str) -> None:
    theirs = ROOT / "node_modules" / PUBLISHED[ours]
    if not theirs.exists():
        pytest.skip("npm ci fetches it")
    version = json.loads((ROOT / "node_modules/htmx.org/package.json").read_text())["version"]
    assert f"htmx-{version}/" in ours
    assert theirs.read_bytes() == (VENDOR / ours).read_bytes()
