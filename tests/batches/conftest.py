from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ocr.conftest import cast as cast
from tests.ocr.conftest import engine as engine


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Tenant Alder's folder for files to read; each tenant may read its own."""
    settings.IMPORTS_ROOT = tmp_path / "imports"
    settings.MANIFEST_BUCKETS = ["*:{tenant}"]
    made = tmp_path / "imports" / "alder"
    made.mkdir(parents=True)
    return made
