"""IBANs and tax numbers: what proves itself, what is put right, and the sentence for what does not come out."""

from __future__ import annotations

import pytest

from ocr.extraction import InvalidValue, codes, parse_value, values
from tests.extraction.make import Answer, a_type, field, problems, spec

# The examples of SWIFT's IBAN registry.
IBANS = [
    "AD1200012030200359100100",
    "AE070331234567890123456",
    "AL47212110090000000235698741",
    "AT611904300234573201",
    "AZ21NABZ00000000137010001944",
    "BA391290079401028494",
    "BE68539007547034",
    "BG80BNBG96611020345678",
    "BH67BMAG00001299123456",
    "BR1800360305000010009795493C1",
    "CH9300762011623852957",
    "CR05015202001026284066",
    "CY17002001280000001200527600",
    "CZ6508000000192000145399",
    "DE89370400440532013000",
    "DK5000400440116243",
    "DO28BAGR00000001212453611324",
    "EE382200221020145685",
    "EG380019000500000000263180002",
    "ES9121000418450200051332",
    "FI2112345600000785",
    "FO6264600001631634",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "GE29NB0000000101904917",
    "GI75NWBK000000007099453",
    "GL8964710001000206",
    "GR1601101250000000012300695",
    "GT82TRAJ01020000001210029690",
    "HR1210010051863000160",
    "HU42117730161111101800000000",
    "IE29AIBK93115212345678",
    "IL620108000000099999999",
    "IQ98NBIQ850123456789012",
    "IS140159260076545510730339",
    "IT60X0542811101000000123456",
    "JO94CBJO0010000000000131000302",
    "KW81CBKU0000000000001234560101",
    "KZ86125KZT5004100100",
    "LB62099900000001001901229114",
    "LC55HEMM000100010012001200023015",
    "LI21088100002324013AA",
    "LT121000011101001000",
    "LU280019400644750000",
    "LV80BANK0000435195001",
    "MC5811222000010123456789030",
    "MD24AG000225100013104168",
    "ME25505000012345678951",
    "MK07250120000058984",
    "MR1300020001010000123456753",
    "MT84MALT011000012345MTLCAST001S",
    "MU17BOMM0101101030300200000MUR",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "PK36SCBL0000001123456702",
    "PL61109010140000071219812874",
    "PS92PALS000000000400123456702",
    "PT50000201231234567890154",
    "QA58DOHB00001234567890ABCDEFG",
    "RO49AAAA1B31007593840000",
    "RS35260005601001611379",
    "SA0380000000608010167519",
    "SC18SSCB11010000000000001497USD",
    "SE4550000000058398257466",
    "SI56263300012039086",
    "SK3112000000198742637541",
    "SM86U0322509800000000270100",
    "ST23000100010051845310146",
    "SV62CENR00000000000000700025",
    "TL380080012345678910157",
    "TN5910006035183598478831",
    "TR330006100519786457841326",
    "UA213223130000026007233566001",
    "VA59001123000012345678",
    "VG96VPVG0000012345678901",
    "XK051212012345678906",
]
TAX_IDS = [
    "ATU13585627",
    "BE0411905847",
    "CHE107787577",
    "DE136695976",
    "DK13585628",
    "EE100594102",
    "EL094259216",
    "ESA13585625",
    "ES54362315K",
    "ESX2482300W",
    "FI20774740",
    "FR83404833048",
    "FR40303265045",
    "GB980780684",
    "HR33392005961",
    "HU12892312",
    "IE6433435F",
    "IE6433435OA",
    "IT00743110157",
    "LU15027442",
    "NL004495445B01",
    "NL123456789B13",
    "NO995525828",
    "PL8567346215",
    "PT501964843",
    "RO18547290",
    "SE123456789701",
    "SI50223054",
    "SK2022749619",
    "27AAPFU0939F1ZV",
]


@pytest.mark.parametrize("number", IBANS)
def test_an_iban_is_proven_and_another_digit_is_refused(number: str) -> None:
    grouped = " ".join(number[begin : begin + 4] for begin in range(0, len(number), 4))
    assert parse_value(grouped.lower(), spec("iban")) == number
    at = next(place for place in range(len(number) - 1, 3, -1) if number[place].isdigit())
    wrong = number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]
    with pytest.raises(InvalidValue, match="check digits of this IBAN do not come out") as refused:
        parse_value(wrong, spec("iban"))
    assert refused.value.code == "invalid_iban"


@pytest.mark.parametrize("number", TAX_IDS)
def test_a_tax_number_is_proven_and_another_digit_is_refused(number: str) -> None:
    """Of the nine other digits one may pass where either of two tests is enough, or where a check of ten is printed as zero."""
    assert parse_value(number, spec("tax_id")) == number
    at = next(place for place in range(4, len(number)) if number[place].isdigit())
    others = [number[:at] + digit + number[at + 1 :] for digit in "0123456789" if digit != number[at]]
    assert len([each for each in others if codes.tax_id(each) == each]) <= (number[:2] in ("GB", "NL", "RO"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("DE89 37O4 0044 0532 0l30 00", "DE89370400440532013000"),
        ("GB29 NW8K 6016 1331 9268 19", "GB29NWBK60161331926819"),
        ("0E89 3704 0044 0532 0130 00", ""),  # no country is called OE
        ("DE89 3704 0044 0532 0130 O1", ""),  # in the right shape, but it does not come out
        ("FR14 2004 1010 0505 0001 3MO2 606", ""),  # letters may stand there, so nothing says that this one must not
    ],
)
def test_what_ocr_confuses_in_an_iban_is_put_right_only_where_the_check_digits_prove_it(text: str, value: str) -> None:
    assert codes.iban(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("DE I36695976", "DE136695976"), ("DE13669S976", "DE136695976"), ("DE136695B76", ""), ("NL0O4495445B01", "NL004495445B01")],
)  # fmt: skip
def test_what_ocr_confuses_in_a_tax_number_is_put_right_only_where_the_check_digit_proves_it(
    text: str, value: str
) -> None:
    assert codes.tax_id(text) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hello", "Write the IBAN, beginning with its country, for example DE89 3704 0044 0532 0130 00."),
        ("DE89 3704 0044 0532", "An IBAN that begins with DE has 22 characters; this has 16."),
        ("XX89 3704 0044 0532 0130 00", "Write the IBAN, beginning with its country"),
    ],
)
def test_what_is_no_iban_is_refused_with_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_value(text, spec("iban"))
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12-3456789", "12-3456789"),
        ("12 3456789", "12-3456789"),
        ("12/345/67890", "12/345/67890"),  # a German tax office's own number
        ("000123456789", "000123456789"),
        ("CHE-107.787.577 MWST", "CHE107787577"),
        ("NO 12345", "NO 12345"),  # 'No.' is no Norwegian prefix
    ],
)
def test_a_tax_number_of_an_unknown_country_is_taken_by_its_shape(text: str, value: str) -> None:
    assert parse_value(text, spec("tax_id")) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("none", "Write the tax number as printed, for example DE136695976 or 12-3456789."),
        ("1234", "Write the tax number as printed"),
        ("DE12345678", "A tax number that begins with DE looks like DE123456789."),
        ("DE136695977", "The check digit of this DE tax number does not come out."),
    ],
)
def test_what_is_no_tax_number_is_refused_with_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_value(text, spec("tax_id"))
    assert str(refused.value).startswith(sentence)
    assert refused.value.code == "invalid_tax_id"


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("iban", "IBAN DE89 3704 0044 0532 0130 00, BIC COBADEFF", ["DE89370400440532013000"]),
        ("iban", "GB29NWBK60161331926819 or DE89 3704 0044 0532 0130 00", ["GB29NWBK60161331926819", "DE89370400440532013000"]),
        ("iban", "DE89 3704 0044 0532 0130 01", [""]),
        ("iban", "Order 12 of 4 March", []),
        ("tax_id", "USt-IdNr. DE 136 695 976 Amtsgericht Köln", ["DE136695976"]),
        ("tax_id", "VAT Reg. No: GB 980 7806 84", ["GB980780684"]),
        ("tax_id", "DE136695977", [""]),
        ("tax_id", "EIN: 12-3456789", ["12-3456789"]),
        ("tax_id", "on 27/03/2026", []),
    ],
)  # fmt: skip
def test_codes_are_found_inside_a_text(kind: str, text: str, found: list[str]) -> None:
    assert [each.value for each in values.find_values(text, spec(kind))] == found


def test_a_code_that_does_not_come_out_is_a_question_for_a_person() -> None:
    made = a_type({"name": "iban", "kind": "iban", "labels": ["iban"]})
    good = Answer().line("IBAN: DE89 3704 0044 0532 0130 00").read(made)
    assert (field(good, "iban").value, field(good, "iban").state) == ("DE89370400440532013000", "certain")
    wrong = Answer().line("IBAN: DE89 3704 0044 0532 0130 01").read(made)
    assert (field(wrong, "iban").value, field(wrong, "iban").text) == (None, "DE89 3704 0044 0532 0130 01")
    assert ("invalid", "iban", "invalid_iban") in problems(wrong)


# --- Enumerations


WAYS = {"Monthly": ["monatlich", "par mois"], "Weekly": ["wöchentlich"], "Once": []}


@pytest.mark.parametrize(("text", "value"), [("monthly", "Monthly"), ("Monatlich", "Monthly"), ("once", "Once")])
def test_a_choice_is_known_by_the_names_it_is_printed_under(text: str, value: str) -> None:
    made = spec(choices=WAYS)
    assert parse_value(text, made) == value
    assert [each.value for each in values.find_values(f"Zahlung: {text}.", made)] == [value]


def test_what_is_refused_names_the_choices_and_not_every_name() -> None:
    with pytest.raises(InvalidValue, match=r"^Choose one of: Monthly, Weekly, Once\.$"):
        parse_value("täglich", spec(choices=WAYS))
