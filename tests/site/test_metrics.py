"""GET /metrics: what it measures, in which form, and for whom."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from ocr import gauges, quota, watch
from ocr.models import Quota
from tests import make
from tests.engine import Engine
from tests.ocr.conftest import cast as cast
from tests.ocr.conftest import engine as engine

pytestmark = pytest.mark.django_db
LINE = re.compile(r'(dtat_[a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.e+-]+|NaN)')


def read() -> dict[tuple[str, str], float]:
    """Every line by its name and labels, after a look at the form of the whole."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.content.decode()
    assert text.endswith("\n")
    found: dict[tuple[str, str], float] = {}
    typed = set()
    for line in text.splitlines():
        if line.startswith("#"):
            typed.update(re.findall(r"^# TYPE (\S+) (?:gauge|counter)$", line))
            continue
        match = LINE.fullmatch(line)
        assert match and match[1] in typed, line
        assert (match[1], match[2] or "") not in found, "one line twice"
        found[match[1], match[2] or ""] = float(match[3])
    return found


def test_documents_by_status_and_priority(cast: make.Cast, engine: Engine) -> None:
    make.receive(cast.a, priority="high")
    make.receive(cast.b, priority="low")
    make.document(cast.a, "approved")
    found = read()
    counts = {labels: number for (name, labels), number in found.items() if name == "dtat_documents" and number}
    assert counts == {
        'status="received",priority="high"': 1,
        'status="received",priority="low"': 1,
        'status="approved",priority="normal"': 1,
    }
    assert found["dtat_queue_oldest_seconds", 'priority="low"'] > 0
    assert found["dtat_queue_oldest_seconds", 'priority="normal"'] == 0
    assert found["dtat_documents_held", ""] == 0
    assert found["dtat_outbox_events", ""] > 0


def test_quotas_beats_and_disk(settings: Any) -> None:
    settings.HOST_NAME = 'odd"name\\'
    watch.beat("workers")
    quota.ensure()
    Quota.objects.update(throttles=7, account="a", region="r")
    found = read()
    assert 0 <= found["dtat_beat_age_seconds", r'of="workers",host="odd\"name\\"'] < 60
    throttles = [number for (name, _labels), number in found.items() if name == "dtat_quota_throttles_total"]
    assert throttles and set(throttles) == {7}
    assert found["dtat_disk_free_bytes", ""] > 0


def test_no_names_and_no_values(cast: make.Cast, engine: Engine) -> None:
    make.document(cast.a, "needs_review", filename="zebraslip.png", external_id="okapi-4711")
    text = Client().get("/metrics").content.decode().lower()
    assert [word for word in ("alder", "zebraslip", "okapi", "12.50", "harbour", "ada") if word in text] == []


def test_it_is_for_this_machine_without_a_token() -> None:
    for address, status in {"127.0.0.1": 200, "::1": 200, "192.0.2.7": 404, "": 404}.items():
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == status, address


def test_in_production_nobody_sees_it_without_a_token(settings: Any) -> None:
    settings.PRODUCTION = True
    assert Client().get("/metrics").status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "bearer the-token", "the-token", "Bearer the-tokén"])
def test_with_a_token_it_is_for_whoever_has_it(settings: Any, given: str) -> None:
    settings.PRODUCTION, settings.METRICS_TOKEN = True, "the-token"
    far = Client(REMOTE_ADDR="192.0.2.7")
    assert far.get("/metrics", headers={"Authorization": given}).status_code == 404
    assert far.get("/metrics", headers={"Authorization": "Bearer the-token"}).status_code == 200


def test_every_gauge_has_a_name_of_its_own() -> None:
    names = [gauge.name for gauge in gauges.GAUGES]
    assert len(names) == len(set(names))
