from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import engine as engine

if TYPE_CHECKING:
    from tests import make


@pytest.fixture
def cast(db: None) -> make.Cast:
    from tests import make

    return make.cast()


@pytest.fixture(autouse=True)
def _fresh_prices(settings: Any) -> Iterator[None]:
    """What one test has looked at is no other's."""
    from ocr import costs

    settings.AWS_REGION = "us-east-1"
    costs.forget()
    yield
    costs.forget()
