"""One world for all tests of a module: committed once, since every test only asks and rolls back what it changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import empty_tables
from tests.ocr.conftest import cast as cast
from tests.ocr.conftest import engine as engine

if TYPE_CHECKING:
    from tests.access.world import World


@pytest.fixture(scope="module")
def _world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    from tests.access import world

    with django_db_blocker.unblock():
        yield world.build()
        empty_tables()


@pytest.fixture
def world(_world: World, db: None) -> World:
    return _world
