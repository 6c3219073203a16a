"""Papers of the other shipped document types, one of each: orders, notes, statements, pay, remittances, claims, identity, tax.

They are drawn for tests and for whoever tries a type out; the demo loads none of them. Every label and value is printed once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samples.sheet import DPI, GREY, LEFT, RIGHT, Column, Sheet


@dataclass(frozen=True, slots=True)
class Paper:
    """One drawn page: what is printed, and what a perfect reader would find, by the type's field names."""

    title: str
    company: str
    address: str
    mark: str
    facts: Mapping[str, str]
    truth: Mapping[str, str]
    columns: tuple[Column, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    sums: Mapping[str, str] | None = None
    foot: str = ""
    checks: Sequence[tuple[str, bool]] = ()
    boxes: Mapping[str, str] | None = None
    """What stands in ruled boxes, two in a row, by the caption in small print."""


@dataclass(frozen=True, slots=True)
class PaperSample:
    """Where the page was written, of which shipped type it is, and its truth."""

    path: Path
    document_type: str
    truth: dict[str, str]


def draw_papers(directory: Path) -> list[PaperSample]:
    """Writes one page for each of these types into `directory` (made if absent); the same bytes every time."""
    directory.mkdir(parents=True, exist_ok=True)
    found = []
    for name, make in _PAPERS.items():
        path, paper = directory / f"{name.replace('_', '-')}.png", make()
        _drawn(paper).image.convert("L").save(path, optimize=True, dpi=(DPI, DPI))
        found.append(PaperSample(path, name, dict(paper.truth)))
    return found


def _drawn(paper: Paper) -> Sheet:
    sheet = Sheet()
    sheet.mark(paper.mark, LEFT, 120, 120, "#34495e")
    sheet.write(290, 172, paper.company, face="bold", size=44)
    sheet.write(290, 220, paper.address, size=26, colour=GREY)
    sheet.write(RIGHT, 330, paper.title, face="bold", size=48, align="right")
    y = 440.0
    for label, value in paper.facts.items():
        sheet.write(LEFT, y, label, size=30)
        sheet.write(620, y, value, size=30)
        y += 62
    for label, ticked in paper.checks:
        sheet.check_box(LEFT, y, label, checked=ticked)
        y += 62
    y = _boxes(sheet, paper.boxes or {}, y)
    y = _table(sheet, paper, y + 50)
    for label, value in (paper.sums or {}).items():
        sheet.write(980, y, label, size=30)
        sheet.write(RIGHT, y, value, size=30, align="right")
        y += 58
    if paper.foot:
        sheet.write(LEFT, 2240, paper.foot, size=24, colour=GREY)
    return sheet


def _boxes(sheet: Sheet, boxes: Mapping[str, str], y: float) -> float:
    width = (RIGHT - LEFT) / 2
    for number, (caption, value) in enumerate(boxes.items()):
        x, top = LEFT + number % 2 * width, y + number // 2 * 110
        sheet.box(x, top, width, 110, line=GREY)
        sheet.write(x + 16, top + 32, caption, size=22, colour=GREY)
        sheet.write(x + 16, top + 86, value, size=34, face="mono")
    return y + (len(boxes) + 1) // 2 * 110


def _table(sheet: Sheet, paper: Paper, y: float) -> float:
    if not paper.columns:
        return y
    sheet.row(y, paper.columns, tuple(column.title for column in paper.columns), face="bold")
    sheet.rule(y + 18)
    for number, row in enumerate(paper.rows, 1):
        sheet.row(y + 12 + number * 54, paper.columns, row)
    return y + 110 + len(paper.rows) * 54


def _purchase_order() -> Paper:
    return Paper(
        "PURCHASE ORDER", "Kestrel Clinics Ltd", "220 Quay Street, Port Ellery", "grid",
        {
            "Purchase order number:": "4500-1187", "Order date:": "14/04/2026", "Required by:": "28/04/2026",
            "Vendor:": "Northfield Paper Supply", "Currency:": "GBP",
        },
        {
            "order_number": "4500-1187", "order_date": "2026-04-14", "delivery_date": "2026-04-28",
            "buyer": "Kestrel Clinics Ltd", "vendor": "Northfield Paper Supply", "currency": "GBP", "total": "1127.50",
        },
        (
            Column("Item", LEFT), Column("Description", 330), Column("Quantity", 960, right=True),
            Column("Unit price", 1230, right=True), Column("Amount", RIGHT, right=True),
        ),
        (
            ("A4-80", "Copy paper A4, carton", "24", "31.50", "756.00"),
            ("LBL-62", "Label roll 62 mm", "40", "7.85", "314.00"),
            ("FRT-1", "Freight", "1", "57.50", "57.50"),
        ),
        {"Order total": "1,127.50"},
    )  # fmt: skip


def _delivery_note() -> Paper:
    return Paper(
        "DELIVERY NOTE", "Tamarind Lighting Ltd", "Unit 7, Foundry Lane, Eastwick", "peak",
        {
            "Delivery note number:": "TL-88120", "Date of delivery:": "11/05/2026", "Your order:": "4500-1342",
            "Deliver to:": "Kestrel Clinics, Loading Bay B", "Carrier:": "Corrie Freight", "Packages:": "7",
        },
        {
            "delivery_number": "TL-88120", "delivery_date": "2026-05-11", "order_number": "4500-1342",
            "sender": "Tamarind Lighting Ltd", "consignee": "Kestrel Clinics, Loading Bay B", "carrier": "Corrie Freight",
            "packages": "7",
        },
        (Column("Article no.", LEFT), Column("Description", 480), Column("Quantity", RIGHT, right=True)),
        (("TL-100", "Ceiling lamp, white", "12"), ("TL-214", "Desk lamp, black", "30"), ("TL-900", "Spare tube", "60")),
    )  # fmt: skip


def _bank_statement() -> Paper:
    return Paper(
        "BANK STATEMENT", "Harrow Mutual Bank", "14 Mill Lane, Harrow Bay", "ring",
        {
            "Account holder:": "Bluewater Fittings Ltd", "Account number:": "44710098", "Statement number:": "2026-04",
            "Period from:": "01/04/2026", "Period to:": "30/04/2026", "Opening balance:": "2,410.55",
            "Total money in:": "1,880.00", "Total money out:": "965.35", "Closing balance:": "3,325.20",
        },
        {
            "account_holder": "Bluewater Fittings Ltd", "account_number": "44710098", "statement_number": "2026-04",
            "period_from": "2026-04-01", "period_to": "2026-04-30", "opening_balance": "2410.55", "money_in": "1880.00",
            "money_out": "965.35", "closing_balance": "3325.20", "bank": "Harrow Mutual Bank",
        },
        (Column("Date", LEFT), Column("Description", 420), Column("Amount", RIGHT, right=True)),
        (
            ("03/04/2026", "Kestrel Clinics", "1,880.00"), ("09/04/2026", "Rent April", "-840.00"),
            ("21/04/2026", "Telephone", "-125.35"),
        ),
    )  # fmt: skip


def _pay_stub() -> Paper:
    return Paper(
        "PAY STUB", "Werkhof Interiors Ltd", "9 Orchard Row, Little Wenham", "wave",
        {
            "Employee name:": "Marta Silva", "Employee number:": "W-2207", "Pay date:": "30/04/2026",
            "Period beginning:": "01/04/2026", "Period ending:": "30/04/2026", "Gross pay:": "3,250.00",
            "Total deductions:": "812.40", "Net pay:": "2,437.60",
        },
        {
            "employer": "Werkhof Interiors Ltd", "employee": "Marta Silva", "employee_number": "W-2207",
            "pay_date": "2026-04-30", "period_from": "2026-04-01", "period_to": "2026-04-30", "gross_pay": "3250.00",
            "deductions": "812.40", "net_pay": "2437.60",
        },
    )  # fmt: skip


def _remittance() -> Paper:
    return Paper(
        "REMITTANCE ADVICE", "Thornbury Events Ltd", "3 Station Parade, Thornbury", "grid",
        {
            "Remittance number:": "RA-30418", "Payment date:": "26/03/2026", "Payee:": "Alder Catering Ltd",
            "IBAN:": "GB82 WEST 1234 5698 7654 32", "Currency:": "GBP",
        },
        {
            "payer": "Thornbury Events Ltd", "remittance_number": "RA-30418", "payment_date": "2026-03-26",
            "payee": "Alder Catering Ltd", "iban": "GB82WEST12345698765432", "currency": "GBP", "total": "4209.30",
        },
        (Column("Invoice number", LEFT), Column("Invoice date", 620), Column("Amount paid", RIGHT, right=True)),
        (("AF-2291", "24/02/2026", "2,854.80"), ("AF-2304", "02/03/2026", "1,354.50")),
        {"Payment amount": "4,209.30"},
    )  # fmt: skip


def _claim_form() -> Paper:
    return Paper(
        "CLAIM FORM", "Stonebridge Insurance Ltd", "Quarry Road 220, Stonebridge", "ring",
        {
            "Claim number:": "CL-55182", "Policy number:": "HP-9182-73", "Name of claimant:": "Ruth Okafor",
            "Date of birth:": "14/09/1981", "Date of loss:": "05/02/2026", "Amount claimed:": "1,480.00",
            "E-mail:": "ruth.okafor@mail.example", "Date signed:": "11/02/2026",
        },
        {
            "claim_number": "CL-55182", "policy_number": "HP-9182-73", "claimant": "Ruth Okafor",
            "date_of_birth": "1981-09-14", "incident_date": "2026-02-05", "amount": "1480.00",
            "email": "ruth.okafor@mail.example", "signed_on": "2026-02-11",
        },
        checks=(("Water damage", True), ("Theft", False)),
    )  # fmt: skip


def _identity_document() -> Paper:
    return Paper(
        "IDENTITY CARD", "Commonwealth of Elleria", "Specimen, not a document", "peak",
        {
            "Card no:": "EL4471903", "Surname:": "Whitfield", "Given names:": "Anna Maria", "Nationality:": "Ellerian",
            "Date of birth:": "19/07/1988", "Place of birth:": "Port Ellery", "Date of issue:": "02/03/2022",
            "Date of expiry:": "01/03/2032",
        },
        {
            "document_number": "EL4471903", "surname": "Whitfield", "given_names": "Anna Maria", "nationality": "Ellerian",
            "date_of_birth": "1988-07-19", "place_of_birth": "Port Ellery", "issued_on": "2022-03-02",
            "expires_on": "2032-03-01",
        },
    )  # fmt: skip


def _w2() -> Paper:
    return Paper(
        "W-2 2026", "Copperline Foods Inc.", "48 Depot Road, Millbrook, VT 05001", "wave",
        {},
        {
            "employee_ssn": "000-12-3456", "employer_ein": "12-3456789", "employer": "Copperline Foods Inc.",
            "employee": "Dana Whitlock", "wages": "48200.00", "federal_tax": "5310.40", "social_security_wages": "50100.00",
            "social_security_tax": "3106.20", "medicare_wages": "50100.00", "medicare_tax": "726.45",
            "state_wages": "48200.00", "state_tax": "1687.00",
        },
        boxes={
            "a Employee's social security number": "000-12-3456", "b Employer identification number (EIN)": "12-3456789",
            "c Employer's name, address, and ZIP code": "Copperline Foods Inc.", "e Employee's first name and initial": "Dana Whitlock",
            "1 Wages, tips, other compensation": "48,200.00", "2 Federal income tax withheld": "5,310.40",
            "3 Social security wages": "50,100.00", "4 Social security tax withheld": "3,106.20",
            "5 Medicare wages and tips": "50,100.00", "6 Medicare tax withheld": "726.45",
            "16 State wages, tips, etc.": "48,200.00", "17 State income tax": "1,687.00",
        },
    )  # fmt: skip


_PAPERS: Mapping[str, Callable[[], Paper]] = {
    "purchase_order": _purchase_order,
    "delivery_note": _delivery_note,
    "bank_statement": _bank_statement,
    "pay_stub": _pay_stub,
    "remittance": _remittance,
    "claim_form": _claim_form,
    "identity_document": _identity_document,
    "w2": _w2,
}
