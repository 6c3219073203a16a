"""Looking without a label: the company at the top, any date, the largest amount, any currency."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extraction.make import Answer, a_type, field, shipped

COMPANY = a_type(
    {"name": "company", "finder": "company", "threshold": 80, "labels": ["supplier"]},
    {"name": "date", "kind": "date", "labels": ["date"]},
)


def company(answer: Answer) -> str | None:
    return field(answer.read(COMPANY), "company").value


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["Green Leaf Sdn Bhd", "12, Jalan Besar", "Tax Invoice"], "Green Leaf Sdn Bhd"),
        (["Tan Ah Kow", "Green Leaf Sdn. Bhd.", "12, Jalan Besar"], "Green Leaf Sdn. Bhd."),
        (["INVOICE", "Green Leaf Ltd", "1 High Street"], "Green Leaf Ltd"),
        (["Rechnung", "Blatt GmbH & Co. KG", "Hauptstr. 1"], "Blatt GmbH & Co. KG"),
        (["Facture", "Feuille SARL", "1 rue du Bois"], "Feuille SARL"),
        (["Green Leaf Ltd (Co Reg No: 123456-A)"], "Green Leaf Ltd"),
        (["GREEN LEAF TRADING (001904043-H)", "22, Jalan Dua"], "GREEN LEAF TRADING"),
        (["Green Leaf", "Sdn Bhd", "12, Jalan Besar"], "Green Leaf Sdn Bhd"),
        (["GREEN LEAF", "RESTAURANT SDN BHD"], "GREEN LEAF RESTAURANT SDN BHD"),
        (["GREEN LEAF", "ENTERPRISE", "12, Jalan Besar"], "GREEN LEAF ENTERPRISE"),
        (
            ["GREEN LEAF HARDWARE", "ENTERPRISE (RED HILL)", "SDN BHD", "12, Jalan Besar"],
            "GREEN LEAF HARDWARE ENTERPRISE (RED HILL) SDN BHD",
        ),
        (["GREEN LEAF LTD", "SERVICES & REPAIR", "12, Jalan Besar"], "GREEN LEAF LTD"),
        (["GREEN LEAF", "MARKETING OFFICE: 12, Jalan Besar"], "GREEN LEAF"),
        (["GREEN LEAF STATIONERY", "& BOOKS", "12, Jalan Besar"], "GREEN LEAF STATIONERY & BOOKS"),
        (["GREEN LEAF HARDWARE &", "ELECTRICAL", "SDN BHD"], "GREEN LEAF HARDWARE & ELECTRICAL SDN BHD"),
        (["GREEN LEAF &", "12, Jalan Besar"], "GREEN LEAF &"),
        (["GREEN LEAF SDN DHD", "12, Jalan Besar"], "GREEN LEAF SDN BHD"),
        (["GREEN LEAF", "5DN. 8HD.", "12, Jalan Besar"], "GREEN LEAF SDN. BHD."),
        (["GREEN MART 5/B", "12, Jalan Besar"], "GREEN MART S/B"),
        (["Green Leaf GmbH - Hauptstr. 1 - 12345 Berlin"], "Green Leaf GmbH"),
        (["Bill to: Other Ltd", "Green Leaf"], "Green Leaf"),
        (["Green Leaf", "Bill to", "Other Ltd"], "Green Leaf"),
        (["Green Leaf Bakery", "Little Bird", "12, Jalan Besar"], "Green Leaf Bakery"),
        (["Little Bird", "some words", "12, Jalan Besar"], "Little Bird"),
        (["12 Foods Ltd", "1 High Street"], "12 Foods Ltd"),
        (["ABC", "1 High Street"], "ABC"),
        (["Supplier: Green Leaf", "Other Ltd"], "Green Leaf"),
        (["OPERATED BY: GREEN LEAF VENTURES PLT", "12, Jalan Besar"], "GREEN LEAF VENTURES PLT"),
        (["(A unit of Green Leaf Foods Pvt. Ltd.)", "12, Jalan Besar"], "Green Leaf Foods Pvt. Ltd."),
        (["LITTLE BIRD", "Licensee: Green Leaf", "Industries Sdn Bhd (884120-W)"], "Green Leaf Industries Sdn Bhd"),
        (["Green Leaf Holdings Pty. Limited t/as Little Bird", "1 High Street"], "Green Leaf Holdings Pty. Limited"),
        (["GREEN LEAF COUNTRY", "RESOURCES LIMITED", "1 High Street"], "GREEN LEAF COUNTRY RESOURCES LIMITED"),
        (["GREEN LEAF PARKING", "MANAGEMENT SDN BHD", "(803314-M)"], "GREEN LEAF PARKING MANAGEMENT SDN BHD"),
        (["FERRETERÍA HIJOS DE", "HOJA VERDE, S.L.", "1 High Street"], "FERRETERÍA HIJOS DE HOJA VERDE, S.L."),
        (["THE GREEN LEAF", "Riverside pub & kitchen", "1 High Street"], "THE GREEN LEAF"),
        (["GREEN LEAF MOBILE GALLERY TRADING", "(SA0311278-A)"], "GREEN LEAF MOBILE GALLERY TRADING"),
        (["GREEN LEAF TOOL LLC SALES RECEIPT", "1 High Street"], "GREEN LEAF TOOL LLC"),
        (["PUSAT ALAT TULIS", "GREEN LEAF SDN BHD", "Reg. No: 733019-T"], "PUSAT ALAT TULIS GREEN LEAF SDN BHD"),
        (["TEA LEAF (SETAPAK)", "GREEN BEVERAGES SDN BHD", "1, Jalan Satu"], "GREEN BEVERAGES SDN BHD"),
        (["GREEN LEAF", "GREEN LEAF HOLDINGS BHD (65787-T)"], "GREEN LEAF HOLDINGS BHD"),
        (["GREEN LEAF ENTERPRISE", "LOT 5 JLN BESAR KG BARU"], "GREEN LEAF ENTERPRISE"),
        (["@@ GREEN LEAF CORNER @@", "NO.2 LRG MAAROF"], "GREEN LEAF CORNER"),
        (["RESTORAN NASI KANDAR", "AL-BARAKAH", "(PG0218843-A)"], "RESTORAN NASI KANDAR AL-BARAKAH"),
        (["MEGA MARKET PLUS", "CHICAGO, IL", "1 High Street"], "MEGA MARKET PLUS"),
        (["KURIER DE", "KURIER GREEN LEAF SDN BHD", "229811-V"], "KURIER GREEN LEAF SDN BHD"),
        (["GREENLEAF", "GREENLEAF COMPUTER & COMMUNICATION", "(JM0577120-H)"], "GREENLEAF COMPUTER & COMMUNICATION"),
        (["HOTEL GREEN", "(Owned & managed by LEAF HOSPITALITY SDN. BHD. 871220-T)"], "LEAF HOSPITALITY SDN. BHD."),
        (["PETROLUX", "STESEN MINYAK AZHAR & ANAK", "(BRN: SA0183342-M)"], "STESEN MINYAK AZHAR & ANAK"),
        (["GREEN LEAF BOOKS", "(MALAYSIA) SDN BHD", "Company No.: 221954-M"], "GREEN LEAF BOOKS (MALAYSIA) SDN BHD"),
        (["GREEN LEAF", "AUTO CARE", "002218834-T"], "GREEN LEAF AUTO CARE"),
        (["GREEN LEAF", "AUTO CARE", "12, Jalan Besar"], "GREEN LEAF AUTO CARE"),
        (["GREEN LEAF", "MORNING DEW", "12, Jalan Besar"], "GREEN LEAF"),
        (
            ["Green & Leaf", "florist | gifts", "GREEN AND LEAF STUDIO", "(202003118827 / SA0551882-V)"],
            "GREEN AND LEAF STUDIO",
        ),
        (["GREEN LEAF", "(Sundry & Provision Merchant)", "(TR0051287-M)"], "GREEN LEAF"),
        (["GREEN LEAF", "Fabrics and tailoring", "KT 0044127-D"], "GREEN LEAF"),
        (["PASARAYA BORONG", "LEAF JAYA SDN. BHD.", "(714420-X)"], "PASARAYA BORONG LEAF JAYA SDN. BHD."),
        (["WARUNG PAK DOLLAH", "Kg. Sungai Isap", "25150 Kuantan"], "WARUNG PAK DOLLAH"),
        (["GREEN LEAF STALL", "14000 Bukit", "SCALE 2 kg"], "GREEN LEAF STALL"),
        (["20 July", "GREEN LEAF CENTRE", "11, Jalan Satu", "224771 FISH FOODS"], "GREEN LEAF CENTRE"),
        (["GREEN COPY & PRINT SHOP", "12, Jalan Besar"], "GREEN COPY & PRINT SHOP"),
        (
            ["HARBOUR STREET NEWSAGENCY", "22 Harbour St, Wollongong NSW 2500", "DAILY PAPER 2.50"],
            "HARBOUR STREET NEWSAGENCY",
        ),
        (["THE ROSE & CROWN", "Market Place, Wells BA5 2RB", "Pie of the Day"], "THE ROSE & CROWN"),
        (["CARELINE", "CARELINE HEALTH & BEAUTY SDN BHD", "CITY SQUARE"], "CARELINE HEALTH & BEAUTY SDN BHD"),
        (["Careline: 1300", "SUNWAY TRADING"], "SUNWAY TRADING"),
        (
            ["PUSAT PAKAIAN", "SERI INDAH ENTERPRISE", "No. Pendaftaran 002019283-H"],
            "PUSAT PAKAIAN SERI INDAH ENTERPRISE",
        ),
        (["SYARIKAT GREEN LEAF", "LIGHTING - WIRING - FANS", "(AS0038271-A)"], "SYARIKAT GREEN LEAF"),
        (
            ["RESTORAN MAKANAN LAUT", "GREEN PEARL (RED HILL)", "(001172839-U)"],
            "RESTORAN MAKANAN LAUT GREEN PEARL (RED HILL)",
        ),
        (["RESTAURANT", "GREEN LEAF SDN BHD", "12, Jalan Besar"], "RESTAURANT GREEN LEAF SDN BHD"),
        (["GREEN POT", "RESTAURANT", "RED FLAME SDN BHD", "12, Jalan Besar"], "RED FLAME SDN BHD"),
        (["LEAF & DAUGHTERS", "Market Place, Hexham NE46", "VAT No 284 7719 03"], "LEAF & DAUGHTERS"),
        (["LEAF & DAUGHTERS", "VIA GARIBALDI 44", "40124 BOLOGNA"], "LEAF & DAUGHTERS"),
        (["GREEN LEAF", "PT GREEN LEAF RETAIL", "SURABAYA 60241"], "PT GREEN LEAF RETAIL"),
        (["GREEN LEAF", "PT 1801 BESAR", "SURABAYA 60241"], "GREEN LEAF"),
        (["AL AMIN 24 JAM", "12, Jalan Besar"], "AL AMIN 24 JAM"),
        (["GREEN-LEAF-GARDEN", "12, Jalan Besar"], "GREEN-LEAF-GARDEN"),
    ],
)
def test_the_company_is_named_at_the_top(lines: list[str], name: str) -> None:
    assert company(Answer().lines(*lines)) == name


@pytest.mark.parametrize(
    "text",
    ["Tax Invoice", "Tel: 03-1234567", "www.example.com", "12, Jalan Besar", "53200 Kuala Lumpur", "27/03/2026", "Date: 27/03/2026",
     "12345678", "AB", "Sdn Bhd", "Guest name: Jane", "EUR", "Qty Price", "x" * 130, "Supplier: 12/34", "Welcome"],
)  # fmt: skip
def test_these_lines_name_no_company(text: str) -> None:
    assert company(Answer().line(text)) is None


def test_a_name_may_hold_a_word_that_is_nearly_a_label() -> None:
    answer = Answer().lines("MEE TARIK HOUSE SDN BHD", "Sunrise Square", "Tarikh: 30/12/2017")
    assert field(answer.read(shipped("receipt")), "merchant").value == "MEE TARIK HOUSE SDN BHD"


def test_a_legal_form_put_right_is_still_told_as_printed() -> None:
    found = field(Answer().line("GREEN LEAF SDN DHD").read(COMPANY), "company")
    assert (found.value, found.text) == ("GREEN LEAF SDN BHD", "GREEN LEAF SDN DHD")


def test_pieces_of_a_name_in_one_row_are_joined_and_distant_ones_are_not() -> None:
    near = Answer().row("GREEN", "LEAF", "LTD", lefts=(0.1, 0.16, 0.21))
    assert company(near) == "GREEN LEAF LTD"
    assert len(field(near.read(COMPANY), "company").word_ids) == 3
    assert company(Answer().row("Green Leaf Ltd", "Little Bird", lefts=(0.1, 0.7))) == "Green Leaf Ltd"


def test_a_single_letter_beside_the_name_is_left_out() -> None:
    assert company(Answer().row("m", "GREEN LEAF", lefts=(0.1, 0.13))) == "GREEN LEAF"


def test_the_tallest_line_is_the_likeliest_name() -> None:
    answer = Answer().line("some words").line("Green Leaf", height=0.05)
    assert company(answer) == "Green Leaf"


def test_a_name_under_the_address_is_less_likely() -> None:
    surer = field(Answer().lines("Green Leaf Ltd", "12, Jalan Besar").read(COMPANY), "company").confidence
    doubtful = field(Answer().lines("12, Jalan Besar", "Green Leaf Ltd").read(COMPANY), "company").confidence
    assert surer is not None and doubtful is not None and surer > doubtful


def test_a_bare_first_line_is_an_honest_guess() -> None:
    found = field(Answer().line("small print", height=0.01).line("another", height=0.02).read(COMPANY), "company")
    assert found.source == "rule" and found.confidence is not None and found.confidence <= 60


def test_without_text_there_is_no_company() -> None:
    assert company(Answer()) is None


# --- dates


DATE = a_type(
    {
        "name": "date",
        "kind": "date",
        "finder": "any_date",
        "labels": ["invoice date"],
        "negative_labels": ["expiry date"],
    },
    {"name": "due", "kind": "date", "labels": ["due date"]},
)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["27/03/2026", "28/03/2026"], "2026-03-27"),
        (["27/03/2026", "Invoice date 28/03/2026"], "2026-03-28"),
        (["Due date 27/04/2026", "28/03/2026"], "2026-03-28"),
        (["no date at all"], None),
        (["Vouchers valid until 30/11/2026", "28/03/2026"], "2026-03-28"),
        (["Return by 24 Apr 2026", "Sale 27 Mar 2026"], "2026-03-27"),
        (["Sale 01/03/2026 - 30/03/2026", "27/03/2026 20:14"], "2026-03-27"),
        (["From the 1 March 2026 to 30 March 2026", "27/03/2026 20:14"], "2026-03-27"),
        (["01/03/2026 for 30/03/2026"], "2026-03-01"),
        (["Vouchers valid until 30/11/2026"], "2026-11-30"),
        (["27/03/2026", "Lucerne, 28 March 2026"], "2026-03-28"),
        (["24/03/2026", "Tue 27/03/2026 17:31"], "2026-03-27"),
        (["24/03/2026", "5:31 pm  27/03/2026"], "2026-03-27"),
        (["Points 24/03/2026 10:00", "27/03/2026"], "2026-03-27"),
        (["Exchange by (24-Mar-2026). Printed 27-Mar-2026 17:31"], "2026-03-27"),
        (["24/03/2026", "27/03/2026 12.50"], "2026-03-24"),
        (["Ready 30/03/2026 after 5pm", "27/03/2026"], "2026-03-27"),
        (["In 26/03/2026 22:10 out 01:40", "27/03/2026"], "2026-03-27"),
    ],
)
def test_a_date_is_found_without_a_label(lines: list[str], value: str | None) -> None:
    assert field(Answer().lines(*lines).read(DATE), "date").value == value


def test_the_parts_of_a_date_may_stand_far_from_one_another() -> None:
    answer = Answer().lines("Table 7").row("Sun 26 Aug", "2026", "14:18")
    assert field(answer.read(DATE), "date").value == "2026-08-26"
    answer = answer.lines("27/08/2026")
    assert field(answer.read(DATE), "date").value == "2026-08-27"


def test_the_date_behind_the_number_of_the_document_is_its_own() -> None:
    rows = (
        "Calls until 15/03/2016",
        "Invoice K0992817-0316 of 21 March 2016",
        "Collected on 4 April 2016",
        "Total 48.32",
    )
    assert field(Answer().lines(*rows).read(shipped("invoice")), "invoice_date").value == "2016-03-21"


def test_of_several_titles_the_first_one_s_number_has_the_date() -> None:
    rows = (
        "Horn, den 07.10.2022",
        "Schlussrechnung Nr. 118/2022",
        "Gesamtbetrag brutto 6.681,04",
        "abzgl. Abschlagsrechnung Nr. 104/2022 vom 12.09.2022 -3.570,00",
    )
    reading = Answer().lines(*rows).read(shipped("invoice"))
    assert [field(reading, name).value for name in ("invoice_number", "invoice_date")] == ["118/2022", "2022-10-07"]


def test_the_date_may_stand_under_the_title() -> None:
    rows = ("Période du 05/03/2024 au 04/04/2024", "Facture n° FX2403-8871520", "du 5 mars 2024")
    reading = Answer().lines(*rows).read(shipped("invoice"))
    assert [field(reading, name).value for name in ("invoice_number", "invoice_date")] == [
        "FX2403-8871520", "2024-03-05",
    ]  # fmt: skip


def test_a_title_may_say_where_it_was_drawn_up_and_a_bare_number_has_a_date() -> None:
    invoice = shipped("invoice")
    drawn_up = Answer().lines(
        "Acompte versé le 02/05/2022", "Facture n° F2022-118, établie à Montgaillard le 3 août 2022"
    )
    assert field(drawn_up.read(invoice), "invoice_date").value == "2022-08-03"
    bare = Answer().lines("Spett.le", "n. 2023/V/0412 del 30 ottobre 2023", "Interpretariato Fiera 14/10/2023")
    assert [field(bare.read(invoice), name).value for name in ("invoice_number", "invoice_date")] == [
        "2023/V/0412", "2023-10-30",
    ]  # fmt: skip
    ordered = Answer().row(
        "Fattura differita", "1147/A", "30/09/2021", "n. 55 del 06/09/2021", lefts=[0.1, 0.3, 0.5, 0.7]
    )
    assert field(ordered.read(invoice), "invoice_date").value == "2021-09-30"
    assert field(Answer().lines("Tax invoice", "#2051").read(invoice), "invoice_number").value == "2051"
    spaced = Answer().lines("Tax invoice", "No. 300 118 4420")
    assert field(spaced.read(invoice), "invoice_number").value == "300 118 4420"


def test_what_stands_far_right_of_a_title_is_another_column_s() -> None:
    answer = Answer().row("Facture n° FX2403-8871520", "35400 SAINT-MALO", lefts=(0.1, 0.7))
    assert field(answer.read(shipped("invoice")), "invoice_number").value == "FX2403-8871520"


def test_a_title_may_end_with_a_colon() -> None:
    invoice = shipped("invoice")
    assert field(Answer().line("TAX INVOICE : SEI2407-00382").read(invoice), "invoice_number").value == "SEI2407-00382"
    amount = Answer().lines("IMPORTE FACTURA: 95,92", "Nº de factura: 19SNR010085542")
    assert field(amount.read(invoice), "invoice_number").value == "19SNR010085542"


def test_the_amount_to_pay_by_a_day_stands_under_it() -> None:
    answer = Answer().lines("Please pay by 28 October 2024", "£289.31", "Estimated annual cost £1,203.77")
    assert field(answer.read(shipped("invoice")), "total").value == "289.31"


def test_dated_behind_the_number_of_an_order_is_the_order_s_date() -> None:
    rows = (
        ("Buyer's order no.", "Dated"),
        ("4500118820", "22-Oct-2021"),
        ("Invoice no.", "Dated"),
        ("VKS/0147", "9-Nov-2021"),
    )
    answer = Answer()
    for row in rows:
        answer.row(*row)
    assert field(answer.read(shipped("invoice")), "invoice_date").value == "2021-11-09"


def test_a_mere_no_leads_to_the_number_where_nothing_else_does() -> None:
    invoice = shipped("invoice")
    assert field(Answer().lines("TAX INVOICE", "No: TW-0388").read(invoice), "invoice_number").value == "TW-0388"
    named = Answer().lines("No: 7", "No: TW-0388", "Invoice number: 4711")
    assert field(named.read(invoice), "invoice_number").value == "4711"


def test_a_number_that_says_itself_what_it_is_of_needs_no_label() -> None:
    answer = Answer().row("Fatura", "2430-405 Marinha Grande").lines("FT A/2019.542")
    assert field(answer.read(shipped("invoice")), "invoice_number").value == "FT A/2019.542"


def test_the_date_of_a_delivery_note_is_not_the_invoice_s() -> None:
    answer = (
        Answer().row("Invoice no.", "Dated").row("GL/0873", "17-Dec-2019").pair("Delivery Note Date", "16-Dec-2019")
    )
    assert field(answer.read(shipped("invoice")), "invoice_date").value == "2019-12-17"


def test_a_firm_that_sells_supplies_names_no_supplier() -> None:
    found = field(Answer().lines("Green Leaf Supplies Limited", "1 High Street").read(shipped("invoice")), "supplier")
    assert found.value == "Green Leaf Supplies Limited"


def test_what_was_paid_is_a_total_where_nothing_else_is() -> None:
    receipt = shipped("receipt")
    paid = (
        Answer()
        .row("Fee", "RM 21.00")
        .row("Inserted", "RM 25.00")
        .row("Returned", "RM 4.00")
        .row("Lost ticket", "RM 180.00")
    )
    assert field(paid.read(receipt), "total").value == "21.00"
    assert field(Answer().row("Payment", "23.70").row("Insured", "200.00").read(receipt), "total").value == "23.70"
    named = Answer().row("Balance", "9.00").row("Total", "12.00")
    assert field(named.read(receipt), "total").value == "12.00"


def test_dates_one_under_another_are_a_column() -> None:
    answer = Answer().lines("Invoice no. 4711", "Date", "15.10.2019", "16.10.2019", "Lucerne, 18 October 2019")
    assert field(answer.read(shipped("invoice")), "invoice_date").value == "2019-10-18"


def test_a_found_date_keeps_its_other_reading() -> None:
    found = field(Answer().line("07/03/2026").read(DATE), "date")
    assert (found.value, [each.value for each in found.suggestions]) == ("2026-03-07", ["2026-07-03"])


def test_only_the_first_dates_are_looked_at() -> None:
    found = field(Answer().lines(*(f"{day}/03/2026" for day in range(13, 30))).read(DATE), "date")
    assert found.value == "2026-03-13"


# --- amounts


AMOUNT = a_type(
    {"name": "total", "kind": "amount", "finder": "largest_amount", "labels": ["total"]},
    {"name": "cash", "kind": "amount", "labels": ["cash"]},
)


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["4.00", "12.50", "3.00"], "12.50"),
        (["12.50 Cash", "Cash 50.00", "8.00"], "8.00"),
        (["999", "6.00% of 3.00", "12.345"], "3.00"),
        (["nothing"], None),
    ],
)
def test_the_largest_amount_is_a_last_resort(lines: list[str], value: str | None) -> None:
    found = field(Answer().lines(*lines).read(AMOUNT), "total")
    assert (found.value, found.state) == (value, "open" if value else "certain")


# --- currencies


CURRENCY: Any = a_type(
    {"name": "currency", "kind": "currency", "threshold": 60, "finder": "any_currency", "labels": ["currency"]}
)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["RM 5.00", "Total RM6.00"], "MYR"),
        (["12.00 EUR", "13.00 EUR", "CHF 14.00"], "EUR"),
        (["Amount (USD)"], "USD"),
        (["[GBP]"], "GBP"),
        (["RM"], "MYR"),
        (["Currency: SGD", "$ 5.00"], "SGD"),
        (["UNICORN BALL PEN BLUE", "GREEN LEAF SDN BHD"], None),
        (["GREEN LEAF SDN. BHD.", "BALL PEN 0.7 BLUE", "CUP 1/2", "PETRONAS SEK 9"], None),
        (["GREEN LEAF SDN. BHD.", "CUP 1/2", "RM 5.00"], "MYR"),
        (["GREEN LEAF SDN BHD 733019 T", "RM 5.00"], "MYR"),
        (["Items $5.00", "Total $12.00", "Card AUD 12.00"], "AUD"),
        (["Items US$5.00", "Card US$12.00", "AUD 12.00"], "USD"),
        (["Total JPY 1200"], "JPY"),
        (["Total EUR 50"], "EUR"),
        (["Total SEK: 1 200,00"], "SEK"),
        (["no money"], None),
    ],
)
def test_the_currency_is_found_beside_the_amounts(lines: list[str], code: str | None) -> None:
    assert field(Answer().lines(*lines).read(CURRENCY), "currency").value == code


def test_two_currencies_as_often_are_ambiguous() -> None:
    found = field(Answer().lines("12.00 EUR", "14.00 CHF").read(CURRENCY), "currency")
    assert [each.code for each in found.problems] == ["ambiguous"]


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["BRAMBLE & FINCH", "BOOKSELLERS", "7 Market Place, Hexham"], "BRAMBLE & FINCH BOOKSELLERS"),
        (["RESTORAN SIN YOONG", "SEAFOOD", "12, Jalan Besar"], "RESTORAN SIN YOONG SEAFOOD"),
        (["KEDAI BUKU ALAT TULIS", "HARAPAN", "12, Jalan Besar"], "KEDAI BUKU ALAT TULIS HARAPAN"),
        (["the loft coffee", "BREW ATTIC VENTURES (002910447-D)", "Order 99"], "BREW ATTIC VENTURES"),
        (["buih", "DOBI LAYAN DIRI BUIH", "12, Jalan Besar"], "DOBI LAYAN DIRI BUIH"),
        (["Chacha Leaf", "by Green Leaf Sdn Bhd (1266510-A)"], "Green Leaf Sdn Bhd"),
        (["By The Sea Cafe", "12, Jalan Besar"], "By The Sea Cafe"),
        (["GERAI MAK TEH", "12, Jalan Besar", "SUP KAMBING 9.00", "NASI GORENG KG 6.50"], "GERAI MAK TEH"),
        (["Holz Meyer KG", "Hauptstr. 9"], "Holz Meyer KG"),
        (["BAR TABACCHI", "FOGLIA S.N.C.", "aperto dalle 6 alle 23"], "BAR TABACCHI FOGLIA S.N.C."),
        (["Gasthaus", "Zum Blatte", "Hauptstr. 9"], "Gasthaus Zum Blatte"),
        (["BÄCKEREI", "Blatt GmbH", "Hauptstr. 9"], "Blatt GmbH"),
        (["GREEN LEAF", "SERVICE STATION", "(RA0041278-H)"], "GREEN LEAF SERVICE STATION"),
        (["LEAF PETRO", "GREEN JAYA SERVICE STATION", "(RA0041278-H)"], "GREEN JAYA SERVICE STATION"),
        (
            [
                "tealeaf",
                "KTL DRINKS ENTERPRISE",
                "(SA0398121-M)",
                "Authorised franchisee of",
                "Leaf International Co. Ltd",
            ],
            "KTL DRINKS ENTERPRISE",
        ),
        (["KILAT LEAF", "CAR CARE & DETAILING", "Reg No: 002391874-D"], "KILAT LEAF CAR CARE & DETAILING"),
        (["THE COPPER LEAF", "TEAROOM", "Church Lane, Castleton"], "THE COPPER LEAF TEAROOM"),
        (
            ["阿九潮州魚丸麺", "AH KOW TEOCHEW", "FISH BALL NOODLES", "7, Jalan Satu"],
            "AH KOW TEOCHEW FISH BALL NOODLES",
        ),
        (
            ["Smacznie i blisko", "DELIKATESY POD LISCIEM SP. Z O.O.", "UL. MLYNSKA 8"],
            "DELIKATESY POD LISCIEM SP. Z O.O.",
        ),
        (["Leaf's", "FRESH FOOD SINCE 1902", "LEAF & MOSS LTD", "14 Bridge Street"], "LEAF & MOSS LTD"),
        (["FISH BALL NOODLES", "7, Jalan Satu"], "FISH BALL NOODLES"),
        (["UNCLE LEAF", "Stall 15, Big Tree Food Court", "Jalan Gasing, PJ"], "UNCLE LEAF"),
    ],
)
def test_the_name_of_a_shop_may_go_on_under_it_or_stand_under_a_brand(lines: list[str], name: str) -> None:
    assert company(Answer().lines(*lines)) == name


def test_what_a_shop_is_comes_before_its_name_in_malay_however_small() -> None:
    rows = Answer().line("KEDAI BUKU & ALAT TULIS", letter=0.008).line("PELANGI ILMU", letter=0.012)
    assert company(rows.lines("15, Jalan Satu")) == "KEDAI BUKU & ALAT TULIS PELANGI ILMU"
    assert company(Answer().line("BOOKS & TOYS", letter=0.008).line("GREEN LEAF", letter=0.012)) == "GREEN LEAF"


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("leaf/lane", ["Leaf Lorong Ventures Sdn Bhd (1187620-T)", "12 Lorong Satu"], "Leaf Lorong Ventures Sdn Bhd"),
        ("leaf/lane", ["Leaf is operated by", "GREEN GROCER (MALAYSIA) SDN BHD"], "GREEN GROCER (MALAYSIA) SDN BHD"),
        ("leaf/lane", ["GREEN GROCER SDN BHD", "660127-K"], "GREEN GROCER SDN BHD"),
        ("leaf/lane", ["Powered by Leaf Tills Sdn Bhd", "Thank you"], "leaf/lane"),
        ("LEAF LANE SDN BHD", ["Leaf Lorong Ventures Sdn Bhd (1187620-T)"], "LEAF LANE SDN BHD"),
    ],
)
def test_the_firm_that_runs_a_shop_may_be_named_at_the_end(first: str, last: list[str], name: str) -> None:
    items = [f"Leaf tea no {number} {number}.50" for number in range(1, 15)]
    assert company(Answer().lines(first, *items, *last)) == name


def test_what_a_shop_is_in_much_smaller_letters_is_no_part_of_its_name() -> None:
    assert company(Answer().line("GREEN LEAF", letter=0.024).lines("BISTRO & CAFE")) == "GREEN LEAF"


def test_a_shop_may_be_called_cash_and_carry() -> None:
    for name in ("GREEN LEAF CASH & CARRY (FH) SDN BHD", "GREEN LEAF CASH AND CARRY"):
        receipt = (
            Answer()
            .lines(name, "12, Jalan Besar", "Date 07/03/2026", "Total 9.00", "Cash 10.00", "Change 1.00")
            .read(shipped("receipt"))
        )
        assert (field(receipt, "merchant").value, field(receipt, "cash").value) == (name, "10.00")
