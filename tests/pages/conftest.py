from __future__ import annotations

from tests.access.conftest import _world as _world
from tests.access.conftest import world as world
