from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.textract.simulator.knobs import DEFAULTS
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


QUICK: dict[str, object] = {
    "latency": dict.fromkeys(("AnalyzeDocument", "DetectDocumentText", "AnalyzeExpense", "AnalyzeID"), 0),
    "other_latency": 0,
    "job": 0,
    "answers": {"count": 12, "kilobytes": 20},
}


@pytest.fixture(scope="session")
def running_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    simulator = Endpoint(tmp_path_factory.mktemp("simulator"), mode="simulate")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def simulator(running_simulator: Endpoint) -> Endpoint:
    """The shared simulator without delays, its counters at zero and every other knob at its default."""
    running_simulator.control(**{name: None for name in DEFAULTS if name != "durable"})
    running_simulator.control(reset=True, finish="*", **QUICK)
    running_simulator.bodies.clear()
    return running_simulator


@pytest.fixture
def own_simulator(tmp_path: Path) -> Iterator[Endpoint]:
    """A simulator that a test may kill and start again."""
    simulator = Endpoint(tmp_path, mode="simulate")
    simulator.control(**QUICK)
    yield simulator
    if simulator.process.poll() is None:
        simulator.stop()


@pytest.fixture(scope="session")
def invoice() -> bytes:
    return drawn.encoded(drawn.picture(*drawn.INVOICE))


@pytest.fixture(scope="session")
def note() -> bytes:
    return drawn.encoded(drawn.note("Total: 9.00"))
