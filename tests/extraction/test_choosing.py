"""Which of several candidates becomes the field, how sure one is, and what a person is told."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ocr.extraction import support
from ocr.extraction.candidates import Candidate
from ocr.extraction.document_types import SumRule
from ocr.extraction.fields import PAIR_SLACK
from ocr.extraction.gathering import FEW_WORDS
from ocr.extraction.reading import Box
from tests.extraction.make import Answer, a_type, field, problems, shipped

TOTAL: dict[str, Any] = {
    "name": "total", "label": "Total", "kind": "amount", "labels": ["grand total", "total"], "required": True,
}  # fmt: skip
NUMBER: dict[str, Any] = {
    "name": "number", "label": "Invoice number", "kind": "identifier", "labels": ["invoice no"], "required": True,
}  # fmt: skip
SIMPLE = a_type(TOTAL)


# --- where a value comes from


@pytest.mark.parametrize(
    ("answer", "why", "source"),
    [
        (Answer().pair("Total:", "12.00"), "key_value", "textract"),
        (Answer().line("Total: 12.00"), "label_right", "rule"),
        (Answer().row("Total", "12.00"), "label_right", "rule"),
        (Answer().lines("Total", "12.00"), "label_below", "rule"),
        (Answer().table(["Total", "12.00"], header=False), "table", "textract"),
    ],
)
def test_a_value_is_found_beside_its_label(answer: Answer, why: str, source: str) -> None:
    found = field(answer.read(SIMPLE), "total")
    assert (found.value, found.why, found.source, found.state) == ("12.00", why, source, "certain")
    assert found.word_ids and found.box is not None and found.page == 1


def test_a_query_s_answer_is_found_by_its_alias() -> None:
    made = a_type(
        {**TOTAL, "query": "sum"}, {"name": "other"},
        features=["QUERIES"], queries=[{"text": "What is the total?", "alias": "sum"}, {"text": "Why?", "alias": "why"}],
    )  # fmt: skip
    reading = Answer().query("sum", "12.00", confidence=71).query("why", "because").query("sum", None).read(made)
    found = field(reading, "total")
    assert (found.value, found.why, found.confidence, found.word_confidence) == ("12.00", "query", 71.0, 99.0)


def test_the_text_is_as_printed_and_the_value_is_canonical() -> None:
    found = field(Answer().line("Total: RM 1.234,50").read(SIMPLE), "total")
    assert (found.text, found.value) == ("1.234,50", "1234.50")


def test_the_box_is_that_of_the_value_s_own_words() -> None:
    found = field(Answer().line("Total: 12.00", left=0.1).read(SIMPLE), "total")
    assert found.box is not None
    assert found.box.left == pytest.approx(0.1 + 7 * 0.01)


def test_a_value_inside_the_label_s_word_takes_that_word() -> None:
    found = field(Answer().line("TOTAL:$6.90").read(SIMPLE), "total")
    assert (found.value, len(found.word_ids)) == ("6.90", 1)


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (["Sub total 10.00", "Total 12.00"], "12.00"),
        (["Total 12.00", "Grand total 13.00"], "13.00"),
        (["Grand total 13.00", "Total 12.00"], "13.00"),
        (["Total 0.00", "Total 13.00"], "13.00"),
        (["Total of all the goods 3.00", "Total 12.00"], "12.00"),
        (["we were told that total 3.00", "Total 12.00"], "12.00"),
        (["Total 6% 12.00"], "12.00"),
        (["Total 3 12.00"], "12.00"),
        (["Total 12.00 3"], "12.00"),
        (["Total 4 3"], "3.00"),
        (["Total (RM incl GST) : 12.00"], "12.00"),
    ],
)
def test_the_likeliest_amount_wins(texts: list[str], value: str) -> None:
    made = a_type(TOTAL, {"name": "subtotal", "kind": "amount", "labels": ["sub total"]})
    assert field(Answer().lines(*texts).read(made), "total").value == value


def test_of_several_amounts_in_a_row_the_last_is_taken() -> None:
    found = field(Answer().row("Total", "9", "327.00").read(SIMPLE), "total")
    assert found.value == "327.00"
    found = field(Answer().row("Total", "28.00", "1.68").read(SIMPLE), "total")
    assert (found.value, [each.value for each in found.suggestions]) == ("1.68", ["28.00"])


def test_an_amount_in_the_label_s_own_line_yields_to_the_one_at_the_row_s_end() -> None:
    tax = a_type({"name": "tax", "kind": "amount", "labels": ["tax"]})
    assert field(Answer().row("Tax 15% on $ 112.90", "$ 16.94").read(tax), "tax").value == "16.94"
    assert field(Answer().line("Tax 15% on $ 112.90").read(tax), "tax").value == "112.90"
    assert field(Answer().row("Tax $ 16.94", "112.90").read(tax), "tax").value == "16.94"


def test_another_field_s_label_ends_the_search() -> None:
    made = a_type(NUMBER, {"name": "customer", "kind": "identifier", "labels": ["customer no"]})
    reading = Answer().line("Invoice no: Customer no: 77").row("Invoice no", "Customer no 88").read(made)
    assert field(reading, "number").value is None
    assert field(reading, "customer").value == "77"
    reading = Answer().row("Invoice no", "A12 Customer no 88").read(made)
    assert (field(reading, "number").value, field(reading, "customer").value) == ("A12", "88")


TWO = a_type(NUMBER, {"name": "day", "kind": "date", "labels": ["date"]})


@pytest.mark.parametrize(
    "answer",
    [
        Answer().row("Invoice no. / date", "4711 / 07.03.2026"),
        Answer().line("Invoice no. / date: 4711 / 07.03.2026"),
        Answer().row("Date & invoice no.", "07.03.2026", "4711"),
    ],
)
def test_labels_side_by_side_share_the_value_behind_them(answer: Answer) -> None:
    reading = answer.read(TWO)
    assert (field(reading, "number").value, field(reading, "day").value) == ("4711", "2026-03-07")


def test_the_number_of_the_next_label_is_no_value() -> None:
    w2 = shipped("w2")
    boxes = Answer().row("3 Social security wages", "4 Social security tax withheld", lefts=(0.1, 0.55))
    reading = boxes.row("50,100.00", "3,106.20", lefts=(0.1, 0.55)).read(w2)
    assert field(reading, "social_security_wages").value == "50100.00"
    assert field(reading, "social_security_tax").value == "3106.20"
    empty = Answer().line("3 Social security wages").line("5 Medicare wages and tips").line("50,100.00")
    reading = empty.read(w2)
    assert field(reading, "social_security_wages").value is None
    assert field(reading, "medicare_wages").value == "50100.00"


def test_labels_that_only_follow_one_another_share_nothing() -> None:
    reading = Answer().row("Invoice no. Date", "4711").read(TWO)
    assert (field(reading, "number").value, field(reading, "day").value) == (None, None)


def test_a_label_under_a_label_is_no_value() -> None:
    made = a_type(NUMBER, {"name": "customer", "kind": "identifier", "labels": ["customer no"]})
    reading = Answer().lines("Invoice no", "Customer no 88").read(made)
    assert field(reading, "number").value is None


def test_a_value_far_below_or_beside_the_label_is_not_taken() -> None:
    answer = Answer().line("Total", top=0.1).line("12.00", top=0.4)
    assert field(answer.read(SIMPLE), "total").value is None
    answer = (
        Answer().line("Total", left=0.1, top=0.1).line("Cash", left=0.1, top=0.13).line("12.00", left=0.7, top=0.13)
    )
    assert field(answer.read(SIMPLE), "total").value is None
    answer = Answer().line("Total", left=0.1, top=0.1).line("12.00 0.72", left=0.7, top=0.13)
    assert field(answer.read(SIMPLE), "total").value is None
    answer = Answer().line("Total", left=0.1, top=0.1).line("so and so 12.00", left=0.1, top=0.13)
    assert field(answer.read(SIMPLE), "total").value is None


def test_an_amount_by_itself_in_the_row_under_a_label_by_itself_is_taken_wherever_it_stands() -> None:
    answer = Answer().line("Total", left=0.1, top=0.1).line("12.00", left=0.7, top=0.13)
    found = field(answer.read(SIMPLE), "total")
    assert (found.value, found.why) == ("12.00", "label_below")


def test_the_nearest_of_two_lines_below_is_taken() -> None:
    answer = (
        Answer()
        .line("Grand total", left=0.4, top=0.1)
        .line("9.00", left=0.37, top=0.13)
        .line("12.00", left=0.42, top=0.13)
    )
    assert field(answer.read(SIMPLE), "total").value == "12.00"


def test_rows_hold_together_on_a_skewed_page() -> None:
    answer = Answer()
    for text, left, top in (("Total", 0.1, 0.10), ("12.00", 0.8, 0.17), ("Cash", 0.1, 0.13), ("20.00", 0.8, 0.20)):
        answer.line(text, left=left, top=top)
    level = field(answer.read(SIMPLE), "total").value
    answer.line("a long line that shows the skew", left=0.1, top=0.3)
    points = [{"X": 0.1, "Y": 0.3}, {"X": 0.9, "Y": 0.38}]
    answer.blocks[-1]["Geometry"]["Polygon"] = points
    assert (level, field(answer.read(SIMPLE), "total").value) == (None, "12.00")


def test_lines_without_a_place_are_left_out_of_the_rows() -> None:
    answer = Answer().line("Total 12.00")
    for block in answer.blocks:
        block["Geometry"] = None
    assert field(answer.read(SIMPLE), "total").value is None


def test_a_value_whose_words_have_no_place_has_its_line_s() -> None:
    answer = Answer().line("Total 12.00")
    for block in answer.blocks[:-1]:
        block["Geometry"] = None
    found = field(answer.read(SIMPLE), "total")
    assert (found.value, found.box and found.box.left) == ("12.00", 0.1)


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ([["Total", "12.00"]], "12.00"),
        ([["Total (RM)", "12.00"]], "12.00"),
        ([["Total of goods", "12.00"]], None),
        ([["The total", "12.00"]], None),
        ([["Total", "Grand total"]], None),
        ([["Total", "see below"]], None),
        ([["Total"], ["12.00"]], None),
        ([["Total", "", "12.00"]], "12.00"),
        ([["Total", "10.00", "2.00", "12.00"]], "12.00"),
        ([["Total", "12.00", "Total", "9.00"]], "12.00"),
    ],
)
def test_a_cell_that_is_a_label_names_the_cell_behind_it(rows: list[list[str]], value: str | None) -> None:
    assert field(Answer().table(*rows, header=False).read(SIMPLE), "total").value == value


def test_a_column_s_header_does_not_name_the_next_header() -> None:
    assert field(Answer().table(["Total", "12.00"]).read(SIMPLE), "total").value is None


def test_a_check_box_is_read_from_its_mark() -> None:
    made = a_type({"name": "citizen", "kind": "checkbox", "labels": ["us citizen"]})
    for checked, value in ((True, "selected"), (False, "not_selected")):
        found = field(Answer().pair("US citizen?", "", checked=checked).read(made), "citizen")
        assert (found.value, found.state, found.why) == (value, "certain", "key_value")
    assert field(Answer().pair("US citizen?", "X").read(made), "citizen").value == "selected"


def test_choices_are_found_in_print() -> None:
    made = a_type({"name": "terms", "labels": ["terms"], "choices": ["Net 30", "Net 60"]})
    assert field(Answer().line("Terms: net 60 days").read(made), "terms").value == "Net 60"


def test_an_uncertain_sign_is_an_uncertain_value() -> None:
    made = a_type({"name": "currency", "kind": "currency", "labels": ["currency"]})
    sure = field(Answer().line("Currency: EUR").read(made), "currency")
    unsure = field(Answer().line("Currency: $").read(made), "currency")
    assert (sure.value, unsure.value) == ("EUR", "USD")
    assert sure.confidence is not None and unsure.confidence is not None
    assert unsure.confidence < 60 < sure.confidence


# --- agreement, support by sums, ambiguity


def test_two_places_that_agree_outweigh_one() -> None:
    answer = Answer().lines("Total 12.00", "Total 13.00", "Total 12.00", "Total 12.00")
    found = field(answer.read(SIMPLE), "total")
    assert (found.value, [each.value for each in found.suggestions]) == ("12.00", ["13.00"])


SUMS = a_type(
    TOTAL,
    {"name": "cash", "kind": "amount", "labels": ["cash"]},
    {"name": "change", "kind": "amount", "labels": ["change"]},
    {"name": "rounding", "kind": "amount", "labels": ["rounding"]},
    rules=[{"name": "paid", "terms": ["cash", "-change"], "equals": "total", "optional": ["rounding"]}],
)


def test_a_sum_that_comes_out_decides() -> None:
    answer = Answer().lines("Grand total 12.02", "Total 12.00", "Cash 20.00", "Change 8.00")
    found = field(answer.read(SUMS), "total")
    assert (found.value, found.state) == ("12.00", "certain")


ROUNDED = a_type(
    TOTAL, {"name": "rounding", "kind": "amount", "labels": ["rounding"]},
    rules=[{"name": "rounded", "kind": "sum", "terms": ["total", "rounding"], "equals": "total"}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["Grand total 8.93", "Rounding -0.03", "Total 8.90"], "8.90"),
        (["Grand total 8.93", "Rounding 0.02", "Total 8.95"], "8.95"),
        (["Grand total 8.93", "Rounding 0.00", "Total 8.90"], "8.93"),
        (["Grand total 8.93", "Rounding -0.03", "Total 8.60"], "8.93"),
        (["Grand total 8.93", "Total 8.90"], "8.93"),
    ],
)
def test_of_two_totals_the_one_after_the_rounding_counts(lines: list[str], value: str) -> None:
    reading = Answer().lines(*lines).read(ROUNDED)
    assert field(reading, "total").value == value
    assert not any(each.rule == "rounded" for each in reading.problems), "a sum of itself is not checked"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["Grand total 88.20", "Student disc 10% -8.82", "Total 79.38"], "79.38"),
        (["Grand total 88.20", "Student disc 10% -8.82", "Total 79.83"], "88.20"),
        (["Subtotal 90.00", "Discount 10.00", "Total 80.00"], "80.00"),
        (["Total 90.00", "You pay 25.00 for returned cheques", "Discount 10.00", "15.00"], "90.00"),
    ],
)
def test_of_two_totals_the_one_after_the_discount_counts(lines: list[str], value: str) -> None:
    assert field(Answer().lines(*lines).read(shipped("receipt")), "total").value == value


def test_what_an_agency_keeps_is_taken_off_the_gross_amount() -> None:
    lines = ("Gross amount 465.00", "Agency commission 10% -46.50", "Net amount due 418.50")
    assert field(Answer().lines(*lines).read(shipped("invoice")), "total").value == "418.50"


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (Answer().pair("Total 0% supplies:", "7.43").lines("Total 22.58"), "22.58"),
        (Answer().row("Total 6% supplies", "7.43").lines("Total 22.58"), "22.58"),
        (Answer().row("Total incl. 6% VAT", "22.58").lines("Total 7.43"), "22.58"),
        (Answer().lines("Total -7.43", "Total 22.58"), "22.58"),
        (Answer().lines("Total -7.43"), "-7.43"),
    ],
)
def test_a_part_of_the_total_and_what_was_returned_are_not_the_total(answer: Answer, value: str) -> None:
    assert field(answer.read(SIMPLE), "total").value == value


@pytest.mark.parametrize(
    ("lines", "tax", "text"),
    [
        (
            ["Subtotal 3,120.00", "GST 5% 156.00", "QST 9.975% 311.22", "Total payable 3,587.22"],
            "467.22",
            "156.00 + 311.22",
        ),
        (["Subtotal 800.00", "CGST @ 9% 72.00", "SGST @ 9% 72.00", "Total payable 944.00"], "144.00", "72.00 + 72.00"),
        (
            ["Subtotal 100.00", "Tax 7% 2.80", "Tax 19% 11.40", "Tax 1.07", "Total payable 115.27"],
            "15.27",
            "2.80 + 11.40 + 1.07",
        ),
        (["Subtotal 3,120.00", "GST 5% 156.00", "QST 9.975% 311.22", "Total payable 3,687.22"], "156.00", "156.00"),
        (["Subtotal 100.00", "Tax 7% 2.80", "Tax 19% 11.40", "Tax 14.20", "Total payable 114.20"], "14.20", "14.20"),
    ],
)
def test_taxes_that_are_printed_apart_are_put_together_where_the_sum_comes_out_with_them(
    lines: list[str], tax: str, text: str
) -> None:
    reading = Answer().lines(*lines).read(shipped("invoice"))
    found = field(reading, "tax")
    assert (found.value, found.text, found.why == "in_parts") == (tax, text, "+" in text)
    assert ("invalid", "total", "subtotal_plus_tax") in problems(reading) or "3,687.22" not in lines[-1]


def test_very_many_amounts_of_every_term_are_tried_within_bounds() -> None:
    answer, ran = Answer(), 0
    for place in range(9):
        for label in ("Subtotal", "VAT", "Shipping", "Discount", "Rounding", "Previous balance", "Total due"):
            answer.line(f"{label} {1000 + 7**place + len(label)}.{place}7")

    def counted(frame: Any, event: str, _: Any) -> Any:
        nonlocal ran
        ran += event == "line"
        return counted if frame.f_code.co_filename == support.__file__ else None

    sys.settrace(counted)
    try:
        answer.read(shipped("invoice"))
    finally:
        sys.settrace(None)
    assert 0 < ran < 100_000, "lines of support.py; a loop over every choice of every term runs through millions"


def test_what_is_put_together_holds_the_words_and_the_least_sure_of_its_parts() -> None:
    answer = Answer().line("Subtotal 100.00").line("GST 5% 5.00", confidence=97).line("QST 9.975% 9.98", confidence=71)
    found = field(answer.line("Total payable 114.98").read(shipped("invoice")), "tax")
    assert (found.value, len(found.word_ids), found.word_confidence) == ("14.98", 2, 71.0)
    assert found.box is not None and found.box.height > 0.04, "around both lines"
    assert {each.value for each in found.suggestions} == {"5.00", "9.98"}
    assert found.state == "open", "a word of it was hardly read"


def test_a_subtotal_that_is_printed_twice_counts_once() -> None:
    reading = (
        Answer()
        .lines("Subtotal 220.00", "Net amount 220.00", "Tax 0.00", "Total 220.00", "To pay 440.00")
        .read(shipped("invoice"))
    )
    assert field(reading, "subtotal").value == "220.00"
    assert field(reading, "subtotal").why != "in_parts"


def test_net_amounts_and_taxes_of_several_rates_are_put_together_in_the_same_number() -> None:
    answer = (
        Answer()
        .row("Warenwert 7 %", "Warenwert 19 %", "MwSt 7 %", "MwSt 19 %")
        .row("98.10", "1,820.09", "6.87", "345.82")
    )
    reading = answer.line("Total amount 2,270.88").read(shipped("invoice"))
    assert [field(reading, name).value for name in ("subtotal", "tax", "total")] == ["1918.19", "352.69", "2270.88"]


def test_the_row_of_the_total_names_what_it_is_made_of() -> None:
    answer = Answer().row("Item", "Net value", "VAT", "Gross value").row("Paper", "1,060.00", "243.80", "1,303.80")
    answer.row("Board", "588.00", "135.24", "723.24").row("Total", "1,648.00", "379.04", "2,027.04")
    reading = answer.line("To pay: 2,027.04").read(shipped("invoice"))
    assert [field(reading, name).value for name in ("subtotal", "tax", "total")] == ["1648.00", "379.04", "2027.04"]
    assert field(reading, "tax").why == "row_of_total"


def test_a_row_that_adds_up_to_the_likeliest_total_says_more_than_two_amounts_that_make_another() -> None:
    def made(name: str, value: str, score: float, left: float, top: float) -> Candidate:
        box = Box(left, top, 0.1, 0.02)
        return Candidate(name, value, value, (), 1, box, "table", score, "rule")

    merged = {
        "subtotal": [made("subtotal", "17790.00", 0.6, 0.3, 0.1)],
        "tax": [made("tax", "2200.00", 0.9, 0.3, 0.2)],
        "total": [
            made("total", "24257.70", 0.95, 0.7, 0.8),
            made("total", "19990.00", 0.93, 0.3, 0.5),
            made("total", "4267.70", 0.9, 0.5, 0.5),
        ],
    }
    support.support(SumRule("sum", ("subtotal", "tax"), equals="total"), merged)
    likeliest = {name: max(found, key=lambda each: each.score) for name, found in merged.items()}
    assert {name: each.value for name, each in likeliest.items()} == {
        "subtotal": "19990.00", "tax": "4267.70", "total": "24257.70",
    }  # fmt: skip


def test_of_two_discounts_the_one_with_which_the_sum_comes_out_counts() -> None:
    lines = ("Warenwert 486.00", "Malstaffel 15 % 72.90", "MwSt 78.49", "Endsumme 491.59", "Skonto 481.76")
    reading = Answer().lines(*lines).read(shipped("invoice"))
    assert field(reading, "discount").value == "72.90"
    assert not any(code == "invalid" for code, *_ in problems(reading))


def test_what_was_owed_before_joins_the_sum_and_is_no_total() -> None:
    lines = ("Balance brought forward 21.20", "Total excluding VAT 38.33", "VAT at 20% 7.67", "Total now due 67.20")
    reading = Answer().lines(*lines).read(shipped("invoice"))
    assert [field(reading, name).value for name in ("prior_balance", "total")] == ["21.20", "67.20"]
    assert not any(rule == "subtotal_plus_tax" for *_, rule in problems(reading))


def test_without_change_the_cash_is_the_total() -> None:
    assert field(Answer().lines("Grand total 12.02", "Total 12.00", "Cash 12.00").read(SUMS), "total").value == "12.00"


def test_a_sum_that_does_not_come_out_decides_nothing() -> None:
    answer = Answer().lines("Grand total 12.02", "Total 12.00", "Cash 25.00", "Change 8.00")
    reading = answer.read(SUMS)
    assert field(reading, "total").value == "12.02"
    assert ("invalid", "total", "paid") in problems(reading)


def test_optional_terms_join_the_sum() -> None:
    answer = Answer().lines("Grand total 12.02", "Total 12.00", "Cash 20.00", "Change 7.98", "Rounding -0.02")
    assert field(answer.read(SUMS), "total").value == "12.00"


def test_one_print_does_not_support_itself() -> None:
    made = a_type(
        {**TOTAL, "labels": ["total"]}, {"name": "cash", "kind": "amount", "labels": ["cash", "total"]},
        rules=[{"name": "paid", "terms": ["cash"], "equals": "total"}],
    )  # fmt: skip
    alone = field(Answer().line("Total 12.00").read(made), "total")
    proven = field(Answer().lines("Total 12.00", "Cash 12.00").read(made), "total")
    assert alone.confidence == pytest.approx(82 * 0.99)  # the rules' score and the least word's
    assert proven.confidence == pytest.approx(97 * 0.99)


def test_a_value_that_is_not_understood_supports_nothing() -> None:
    reading = Answer().pair("Cash", "2O.OO").line("Total 12.00").read(SUMS)
    assert (field(reading, "total").value, field(reading, "cash").value) == ("12.00", None)


def test_two_close_values_are_ambiguous_and_both_are_offered() -> None:
    reading = Answer().lines("Total 12.00", "Total 13.00").read(SIMPLE)
    found = field(reading, "total")
    assert (found.value, found.state, [each.value for each in found.suggestions]) == ("12.00", "open", ["13.00"])
    assert [(each.code, each.message, each.rule) for each in found.problems] == [
        ("ambiguous", "The document may mean 12.00 or 13.00; choose one.", "close_candidates")
    ]


def test_a_weak_rival_is_only_a_suggestion() -> None:
    found = field(Answer().pair("Total", "12.00").lines("Total", "13.00").read(SIMPLE), "total")
    assert (found.value, found.state, [each.value for each in found.suggestions]) == ("12.00", "certain", ["13.00"])


def test_the_nearer_the_next_value_the_less_sure_the_chosen_one() -> None:
    def sure(*answers: Answer) -> list[float]:
        return [field(each.read(SIMPLE), "total").confidence or 0.0 for each in answers]

    pair = Answer().pair("Total", "12.00", confidence=95)
    alone, led, close = sure(
        pair,
        Answer().pair("Total", "12.00", confidence=95).lines("Total", "13.00"),
        Answer().lines("Total 12.00", "Total 13.00"),
    )
    assert alone == 95 > led > 50 > close == 0


def test_the_less_legible_a_page_the_less_sure_what_stands_on_it() -> None:
    def sure(*others: float, page: int = 1) -> float:
        answer = Answer().pair("Total", "12.00", confidence=95)
        for score in others:
            answer.line("word", confidence=score, page=page)
        return field(answer.read(SIMPLE), "total").confidence or 0.0

    assert sure(99, 99) == sure() == 95
    assert sure(94, 94) == 95 * (2 + FEW_WORDS) / (4 + FEW_WORDS)  # of the words of the pair and these two
    assert sure(94, 94, page=2) == 95

    asked = a_type(
        {"name": "total", "kind": "amount", "query": "total"}, features=["QUERIES"],
        queries=[{"alias": "total", "text": "What is total?"}],
    )  # fmt: skip
    answer = Answer().query("total", "12.00", confidence=90).line("word", confidence=50).read(asked)
    assert field(answer, "total").confidence == 90  # the engine speaks of the value itself


@pytest.mark.parametrize(("heading", "total"), [("Qty", "15.20"), ("Menge", "15.20"), ("Rate", "3.20")])
def test_what_stands_below_the_heading_of_items_is_no_total(heading: str, total: str) -> None:
    made = a_type({"name": "total", "kind": "amount", "labels": ["amount"], "finder": "largest_amount"})
    answer = Answer().row(heading, "Item", "Amount").row("1", "Tea", "3.20").row("3", "Cake", "12.00").line("15.20")
    assert field(answer.read(made), "total").value == total


def test_a_value_that_a_sum_contradicts_is_half_as_sure() -> None:
    def sure(*others: str) -> float:
        return field(Answer().lines("Total 12.00", *others).read(SUMS), "total").confidence or 0.0

    assert sure("Cash 20.00", "Change 7.00") == sure("Cash 20.00") / 2 > 0
    assert sure("Cash 20.00", "Change 8.00") > sure("Cash 20.00")


def test_the_same_value_twice_is_not_ambiguous() -> None:
    assert field(Answer().lines("Total 12.00", "Total RM12").read(SIMPLE), "total").state == "certain"


def test_at_most_five_suggestions_all_different() -> None:
    answer = Answer().lines(*(f"Total {number}.00" for number in (3, 4, 5, 5, 6, 7, 8, 9)))
    found = field(answer.read(SIMPLE), "total")
    suggested = [each.value for each in found.suggestions]
    assert len(suggested) == 5 == len(set(suggested)) and found.value not in suggested


# --- problems


@pytest.mark.parametrize(
    ("confidence", "state", "message"),
    [
        (90.0, "certain", None),
        (89.99, "open", "Read with 89 % confidence, 90 % needed."),
        (61.2, "open", "Read with 61 % confidence, 90 % needed."),
    ],
)
def test_the_least_word_decides_whether_a_reading_is_doubtful(
    confidence: float, state: str, message: str | None
) -> None:
    found = field(Answer().line("Total 12.00", confidence=confidence).read(SIMPLE), "total")
    assert (found.state, found.word_confidence) == (state, confidence)
    assert [(each.code, each.message, each.rule) for each in found.problems] == (
        [("low_confidence", message, "word_confidence")] if message else []
    )


@pytest.mark.parametrize(("confidence", "state"), [(90.0 - PAIR_SLACK, "certain"), (89.9 - PAIR_SLACK, "open")])
def test_a_pair_has_a_lower_bar_than_a_word(confidence: float, state: str) -> None:
    found = field(Answer().pair("Total", "12.00", confidence=confidence).read(SIMPLE), "total")
    assert (found.state, found.confidence) == (state, confidence)
    assert [(each.code, each.message, each.rule) for each in found.problems] == (
        [("low_confidence", "Matched to this field with 39 % confidence, 40 % needed.", "pair_confidence")]
        if state == "open"
        else []
    )


def test_a_value_that_nothing_speaks_against_is_doubted_on_a_page_that_is_hard_to_read() -> None:
    answer = Answer().pair("Total", "12.00", confidence=95).lines(*["word"] * 20)
    assert field(answer.read(SIMPLE), "total").state == "certain"
    for _ in range(43):
        answer.line("faint", confidence=94)
    found = field(answer.read(SIMPLE), "total")
    assert (found.value, found.word_confidence) == ("12.00", 99)
    assert [(each.code, each.message, each.rule) for each in found.problems] == [
        ("low_confidence", "Matched to this field with 36 % confidence, 40 % needed.", "pair_confidence")
    ]


def test_only_the_value_s_words_count_for_its_reading() -> None:
    answer = Answer().row("Total", confidence=20)
    answer.line("12.00", left=0.4, top=answer.top)
    assert field(answer.read(SIMPLE), "total").state == "certain"


def test_the_mean_of_the_words_is_kept_beside_the_least() -> None:
    answer = Answer().pair("Invoice no", "A 12 34")
    for block, confidence in zip(
        [each for each in answer.blocks if each.get("Text") in ("12", "34")], (90.0, 96.0), strict=True
    ):
        block["Confidence"] = confidence
    found = field(answer.read(a_type({**NUMBER, "kind": "text"})), "number")
    assert (found.word_confidence, found.mean_word_confidence) == (90.0, 95.0)


def test_words_without_a_score_are_not_doubtful() -> None:
    answer = Answer().line("Total 12.00")
    for block in answer.blocks:
        block["Confidence"] = None
    found = field(answer.read(SIMPLE), "total")
    assert (found.word_confidence, found.mean_word_confidence, found.state) == (None, None, "certain")


def test_a_suggestion_counts_the_words_that_have_a_score() -> None:
    answer = Answer().line("Total 12.00").line("Total RM 13.00")
    for block in answer.blocks:
        if block.get("Text") == "13.00":
            block["Confidence"] = None
    (other,) = field(answer.read(SIMPLE), "total").suggestions
    assert (other.value, other.word_confidence) == ("13.00", None)


def test_a_required_field_that_is_absent_is_missing() -> None:
    reading = Answer().line("nothing here").read(SIMPLE)
    found = field(reading, "total")
    assert (found.value, found.text, found.state, found.confidence, found.box) == (None, "", "open", None, None)
    assert [(each.code, each.message, each.rule) for each in found.problems] == [
        ("missing", "Total was not found on the document.", "required")
    ]


def test_an_optional_field_that_is_absent_is_certain_and_empty() -> None:
    reading = Answer().line("Total 12.00").read(a_type(TOTAL, {"name": "tax", "kind": "amount"}))
    found = field(reading, "tax")
    assert (found.value, found.state, found.problems) == (None, "certain", ())


def test_a_value_of_the_wrong_kind_is_invalid_and_says_the_form() -> None:
    made = a_type({"name": "day", "kind": "date", "labels": ["date"]})
    found = field(Answer().pair("Date", "32/13/2026").read(made), "day")
    assert (found.value, found.text, found.state) == (None, "32/13/2026", "open")
    assert [(each.code, each.rule) for each in found.problems] == [("invalid", "invalid_date")]
    assert found.problems[0].message.startswith("“32/13/2026” could not be understood. Write the date as day/month")


def test_a_long_text_is_cut_in_the_message() -> None:
    made = a_type({"name": "day", "kind": "date", "labels": ["date"]})
    found = field(Answer().pair("Date", "word " * 20).read(made), "day")
    assert "…” could not be understood" in found.problems[0].message


@pytest.mark.parametrize(
    ("kind", "text", "invalid"),
    [("amount", "1O.OO", True), ("amount", "7903F711", False), ("amount", "cashier", False), ("identifier", "12.50", False),
     ("identifier", "unknown", False), ("percent", "some", False), ("number", "2O.5O", True),
        ("identifier", "-12/13/2014", False), ("date", "£950.00", False), ("date", "Upon receipt", False),
        ("date", "sofort ohne Abzug", False), ("date", "10.05", True), ("date", "next week", True)],
)  # fmt: skip
def test_print_that_cannot_be_meant_is_passed_over(kind: str, text: str, *, invalid: bool) -> None:
    made = a_type({"name": "thing", "kind": kind, "labels": ["thing"]})
    found = field(Answer().pair("Thing", text).read(made), "thing")
    assert (found.state == "open") is invalid
    assert (found.text == text) is invalid


def test_a_text_that_holds_no_value_may_be_one_as_a_whole() -> None:
    made = a_type({"name": "number", "kind": "identifier", "labels": ["number"]})
    found = field(Answer().pair("Number", "_4_").read(made), "number")
    assert (found.value, found.text, found.state) == ("_4_", "_4_", "certain")


def test_a_key_with_strange_words_behind_it_is_weaker() -> None:
    answer = Answer().pair("Total weight of goods", "99.00").pair("Total", "12.00")
    assert field(answer.read(SIMPLE), "total").value == "12.00"


def test_an_empty_value_gives_no_candidate() -> None:
    assert field(Answer().pair("Total", "").pair("Total", None).read(SIMPLE), "total").state == "open"


def test_of_two_pairs_the_engine_s_surer_one_wins() -> None:
    answer = Answer().pair("Total", "13.00", confidence=40).pair("Total", "12.00", confidence=99)
    assert field(answer.read(SIMPLE), "total").value == "12.00"


@pytest.mark.parametrize(
    ("lines", "subtotal", "tax"),
    [
        (["Total before VAT 243.61", "VAT at 9% on 243.61 21.92", "Total amount due 265.53"], "243.61", "21.92"),
        (["Subtotaal excl. BTW 898,24", "BTW 21% 188,63", "Totaal te betalen 1.086,87"], "898.24", "188.63"),
        (["I alt ekskl. moms 93.310,00", "25 % moms 23.327,50", "At betale 116.637,50"], "93310.00", "23327.50"),
        (["TOTAL (inc GST) 1,194.60", "GST included in total 108.60"], None, "108.60"),
        (["Goods total 80.00", "Plus VAT 20% 16.00", "Invoice total 96.00"], "80.00", "16.00"),
    ],
)
def test_what_is_without_tax_is_no_tax(lines: list[str], subtotal: str | None, tax: str) -> None:
    reading = Answer().lines(*lines).read(shipped("invoice"))
    assert (field(reading, "subtotal").value, field(reading, "tax").value) == (subtotal, tax)


def test_what_is_rounded_off_joins_the_sum() -> None:
    lines = ("Net amount 8,769.00", "VAT 1,495.45", "Rounding -0.45", "Total due 10,264.00")
    reading = Answer().lines(*lines).read(shipped("invoice"))
    assert field(reading, "rounding").value == "-0.45"
    assert not any(code == "invalid" for code, *_ in problems(reading))


def test_an_amount_to_which_nothing_is_added_speaks_for_no_other_total() -> None:
    """A tourist tax without VAT is no total, though 10.80 and 0.00 make 10.80."""
    bill = Answer().pair("Invoice total", "538.30").lines("Subtotal 10.80", "VAT 0.00", "Total 10.80")
    assert field(bill.read(shipped("invoice")), "total").value == "538.30"
    free = Answer().lines("Subtotal 10.80", "VAT 0.00", "Total 10.80").read(shipped("invoice"))
    assert (field(free, "total").value, field(free, "subtotal").value) == ("10.80", "10.80")


def test_of_two_totals_nearly_alike_the_one_that_the_subtotal_says_again_counts() -> None:
    """An insurance without VAT: the year's premium stands beside the instalment that is billed."""
    premium = Answer().line("Total amount incl. VAT 440.00")
    premium.pair("Subtotal", "220.00").pair("VAT", "0.00").pair("Total", "220.00")
    assert field(premium.read(shipped("invoice")), "total").value == "220.00"
