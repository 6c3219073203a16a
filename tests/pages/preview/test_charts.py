"""The dashboard's charts: true to the numbers, gaps included."""

from __future__ import annotations

import pytest

from dtat_site.templatetags import charts, interface


@pytest.mark.parametrize(
    ("highest", "top", "guides"),
    [(0, 1, 5), (1, 1, 5), (4, 4, 5), (128, 150, 4), (212, 300, 4), (0.9, 1, 5), (18_402, 20_000, 5)],
)
def test_the_axis_ends_at_a_round_number_above_the_highest_value(highest: float, top: float, guides: int) -> None:
    scale = charts.scale_for([0, highest])
    assert scale.top == pytest.approx(top)
    assert len(scale.guides()) == guides
    assert scale.y(0) == charts.HEIGHT
    assert scale.y(scale.top) == 0


@pytest.mark.parametrize(
    ("highest", "guides"), [(1, [0, 1]), (2, [0, 1, 2]), (3, [0, 1, 2, 3]), (7, [0, 2, 4, 6, 8]), (9, [0, 3, 6, 9])]
)
def test_the_axis_of_a_count_has_whole_numbers_only(highest: float, guides: list[int]) -> None:
    scale = charts.scale_for([0, highest], whole=True)
    assert [guide["text"] for guide in scale.guides()] == [str(number) for number in guides]


def test_bars_stand_on_each_other_and_are_as_high_as_their_numbers() -> None:
    chart = charts.bar_chart([{"label": "9:00", "straight": 30, "reviewed": 10}], "Documents")
    reviewed, straight = chart["bars"]
    assert reviewed["y"] + reviewed["height"] == pytest.approx(charts.HEIGHT)
    assert straight["y"] + straight["height"] == pytest.approx(reviewed["y"])
    assert straight["height"] == pytest.approx(3 * reviewed["height"])


def test_nothing_but_zeros_is_no_chart() -> None:
    assert charts.bar_chart([{"label": "9:00", "straight": 0, "reviewed": 0}], "Documents")["empty"]
    assert charts.time_chart({"points": [{"label": "9:00", "p95": None, "average": None}], "target": 8}, "Time")[
        "empty"
    ]


def test_a_gap_in_the_data_stays_a_gap_in_the_line() -> None:
    points = [{"label": str(n), "p95": value, "average": 1} for n, value in enumerate([1, 2, None, 3, 4])]
    first, second = charts.time_chart({"points": points, "target": None}, "Time")["lines"]
    assert len(first["runs"]) == 2
    assert len(second["runs"]) == 1


def test_a_lone_value_is_still_seen() -> None:
    points = [{"label": str(n), "value": value} for n, value in enumerate([None, 7, None])]
    (run,) = charts.waiting_chart(points, "Waiting")["lines"][0]["runs"]
    assert len(run.split()) == 2


def test_labels_at_the_ends_of_lines_do_not_overlap() -> None:
    points = [{"label": "9:00", "p95": 8.0, "average": 8.0}, {"label": "10:00", "p95": 8.0, "average": 8.0}]
    ends = charts.time_chart({"points": points, "target": 8.0}, "Time")["ends"]
    heights = [end["y"] for end in ends]
    assert len(ends) == 3
    assert all(low - high >= 14 for high, low in zip(heights, heights[1:], strict=False))


@pytest.mark.parametrize(("share", "words"), [(0, "0%"), (0.005, "<1%"), (0.01, "1%"), (0.46, "46%"), (1, "100%")])
def test_a_small_share_is_not_shown_as_none(share: float, words: str) -> None:
    assert charts.as_percent(share) == words


def test_what_is_not_quite_certain_is_not_shown_as_certain() -> None:
    assert (interface.percent(99.7), interface.percent(75.6), interface.percent(None)) == ("99%", "75%", "–")


def test_a_found_nothing_is_not_called_certain() -> None:
    assert "<span>Not found</span>" in interface.field_state("certain", None)
    assert "<span>Certain</span>" in interface.field_state("certain", "12.00")
    assert 'class="chip miss"' in interface.field_state("open", None, [{"code": "missing"}])
    assert 'class="chip bad"' in interface.field_state("open", "1", [{"code": "invalid"}])
