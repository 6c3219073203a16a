"""The bill in millionths of a dollar a page."""

import pytest

from deploy.local.textract.calibration import calibrated
from deploy.local.textract.prices import microdollars_per_page


@pytest.mark.parametrize(
    ("features", "price"),
    [
        ("", 1_500),
        ("TABLES", 15_000),
        ("FORMS", 50_000),
        ("QUERIES", 15_000),
        ("SIGNATURES", 3_500),
        ("LAYOUT", 4_000),
        ("FORMS TABLES", 65_000),
        ("TABLES QUERIES", 20_000),
        ("FORMS QUERIES", 55_000),
        ("FORMS TABLES QUERIES", 70_000),
        ("FORMS LAYOUT SIGNATURES", 50_000),
        ("LAYOUT SIGNATURES", 4_000),
        ("QUERIES LAYOUT", 19_000),
        ("QUERIES SIGNATURES", 18_500),
    ],
)
def test_the_price_of_a_page_goes_by_its_features(features: str, price: int) -> None:
    assert microdollars_per_page(frozenset(features.split())) == price


def test_confidence_rises_with_the_engine_and_is_never_certain() -> None:
    steps = [calibrated(n / 1000) for n in range(1001)]
    assert steps == sorted(steps)
    assert calibrated(0.0) == 10.0
    assert 98 < calibrated(1.0) < 100
    assert calibrated(0.9) < 90
