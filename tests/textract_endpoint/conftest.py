from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.textract_endpoint import drawn
from tests.textract_endpoint.running import Endpoint


@pytest.fixture(scope="session")
def running_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    endpoint = Endpoint(tmp_path_factory.mktemp("endpoint"), "--workers", "2")
    yield endpoint
    assert endpoint.stop() == 0


@pytest.fixture
def endpoint(running_endpoint: Endpoint) -> Endpoint:
    """The shared endpoint at rest, its counters and knobs at zero."""
    running_endpoint.control(latency_seconds=0)
    running_endpoint.wait_for(running_endpoint.control, lambda report: report["jobs"]["IN_PROGRESS"] == 0)
    running_endpoint.control(reset=True)
    running_endpoint.bodies.clear()
    return running_endpoint


@pytest.fixture
def own_endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    """An endpoint that a test may kill and start again."""
    endpoint = Endpoint(tmp_path, "--workers", "1")
    yield endpoint
    if endpoint.process.poll() is None:
        endpoint.stop()


@pytest.fixture(scope="session")
def invoice() -> bytes:
    return drawn.encoded(drawn.picture(*drawn.INVOICE))


@pytest.fixture(scope="session")
def note() -> bytes:
    return drawn.encoded(drawn.note("Total: 9.00"))
