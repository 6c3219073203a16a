from collections.abc import Iterator

import pytest

from ocr.sandbox import Limits, Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests; bombs meet its limits after two seconds of processor time instead of twenty."""
    shared = Sandbox(Limits(cpu_seconds=2, wall_seconds=20))
    yield shared
    shared.close()


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    """A sandbox that a test may hurt."""
    own = Sandbox(Limits(cpu_seconds=1, wall_seconds=20))
    yield own
    own.close()
