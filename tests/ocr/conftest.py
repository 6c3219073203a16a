from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine import engine as engine

if TYPE_CHECKING:
    from tests import make


@pytest.fixture
def cast(db: None) -> make.Cast:
    """Everybody that tests speak of."""
    from tests import make  # models can be imported only now

    return make.cast()
