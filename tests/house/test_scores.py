"""How the accuracy benchmark counts."""

from __future__ import annotations

import pytest

from benchmarks import _documents, _scores, accuracy


def test_the_interval_is_wilsons() -> None:
    assert _scores.interval(90, 100) == (0.826, 0.945)
    assert _scores.interval(20, 20) == (0.839, 1.0)
    assert _scores.interval(0, 0) == (0.0, 1.0)


def test_auroc_counts_equal_scores_half_and_says_nothing_without_both_kinds() -> None:
    assert _scores.auroc([(0.9, True), (0.8, True), (0.1, False)]) == 1.0
    assert _scores.auroc([(0.5, True), (0.5, False)]) == 0.5
    assert _scores.auroc([(0.1, True), (0.9, False)]) == 0.0
    assert _scores.auroc([(0.1, True), (0.9, True)]) is None


def test_coverage_and_reviewing_do_not_part_equal_scores() -> None:
    scored = [(0.9, True), (0.9, True), (0.5, False), (0.5, True), (0.2, False)]
    assert _scores.coverage(scored, error=0.0) == 0.4
    assert _scores.share_to_review(scored, caught=0.5) == 0.2
    assert _scores.share_to_review(scored, caught=1.0) == 0.6
    assert _scores.share_to_review([(0.9, True)], caught=0.95) is None


def test_the_bar_for_review_leaves_no_more_below_it_than_may_be_seen() -> None:
    scored = [(score, True) for score in (0.1, 0.2, 0.2, 0.4, 0.5)]
    assert _scores.bar(scored, reviewed=0.2) == 0.1
    assert _scores.bar(scored, reviewed=0.4) == 0.1, "equal scores are not parted"
    assert _scores.bar(scored, reviewed=0.6) == 0.2
    assert _scores.bar(scored, reviewed=0.1) == float("-inf")
    assert _scores.bar([], reviewed=0.3) == float("-inf")


def test_words_are_compared_as_bags() -> None:
    overlap = _scores.bags("Total 9.00 9.00", "TOTAL 9.00 RM")
    assert (overlap.both, overlap.sought, overlap.given, overlap.f1) == (2, 3, 3, 0.667)


@pytest.mark.parametrize(
    ("one", "other", "alike"), [("Date", "DATE ", 100.0), ("abcd", "abxd", 75.0), ("abc", "xyz", 0.0), ("", "", 0.0)]
)
def test_likeness(one: str, other: str, alike: float) -> None:
    assert _scores.likeness(one, other) == alike


def test_a_pair_counts_once_and_on_both_sides() -> None:
    sought = [("Date", "1/2/2026"), ("Date", "1/2/2026"), ("Name", "Ada")]
    given = [("Date", "1/2/2026"), ("Name", "Ben")]
    assert _scores.pairs_in_common(sought, given, least=80) == _scores.Overlap(1, 3, 2)


@pytest.mark.parametrize(
    ("name", "printed", "normal"),
    [
        ("total", "RM 1,234.5", "1234.50"),
        ("date", "28 MAR 18", "2018-03-28"),
        ("date", "04-06-18", "2018-06-04"),
        ("invoice_date", "20180305", "2018-03-05"),
        ("merchant", "Kedai Papan (M) Sdn. Bhd.", "KEDAIPAPANMSDNBHD"),
        ("total", "nothing", ""),
    ],
)
def test_normal_forms(name: str, printed: str, normal: str) -> None:
    assert _documents.normal(name, printed) == normal


@pytest.mark.parametrize(
    ("word", "right"), [("TOTAL:", True), ("9.00", True), ("00", True), ("@9.00", False), ("OTAL", False)]
)
def test_a_word_is_right_when_it_is_whole_pieces_of_what_stands_there(word: str, right: bool) -> None:  # noqa: FBT001
    assert accuracy._reads(word, "Total : 9.00") is right
