"""The same with eyes: the local engine reads the pieces of drawn pages, honest and lying."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tenants import scope
from tenants.models import Tenant
from tests import make
from tests.engine import Engine
from tests.sandbox import foreign
from tests.textract_endpoint.running import Endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.engine]
LINES = (
    "Harbour Cafe", "12 Quay Street, Port Ellery 4021", "Receipt no. 4471-209", "Date: 12/03/2026",
    "Subtotal: 1,139.75", "Tax 20 %: 227.95", "Total: 1,367.70",
)  # fmt: skip


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    endpoint = Endpoint(tmp_path_factory.mktemp("eyes"), "--workers", "1")
    # The first picture waits for the models, longer than the product waits for a witness.
    endpoint.client.detect_document_text(Document={"Bytes": make.image("ready")})
    yield endpoint
    assert endpoint.stop() == 0


@pytest.mark.parametrize(
    ("says", "outcome", "billed"),
    [
        ({}, "taken", 0),
        ({"1": "7"}, "differs", 1),  # whoever copies 1,367.70 gets 7,367.70
        ({"3": "8", "8": "3"}, "differs", 1),
    ],
)
def test_the_engine_sees_what_is_printed(
    cast: make.Cast, engine: Engine, eyes: Endpoint, settings: Any, tmp_path: Path,
    says: Mapping[str, str], outcome: str, billed: int,
) -> None:  # fmt: skip
    settings.WITNESS_URL = eyes.url
    with scope.everything():
        Tenant.objects.filter(pk=cast.a.pk).update(reads_text_layers=True)
    content = foreign.digital_pdf(tmp_path / "a.pdf", LINES, says=says).read_bytes()
    done = make.run(make.receive(cast.a, content).document)
    [said] = [row.codes for row in make.trail(done) if row.kind == "TEXT_LAYER_CHECKED"]
    assert (done.text_layer, len(engine.bill)) == (outcome, billed), said
    assert make.broken() == []
