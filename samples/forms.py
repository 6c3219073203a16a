"""Forms that people fill in: a registration, a receipt for a delivery, a delivery note."""

from collections.abc import Mapping, Sequence

from samples.sheet import GREY, LEFT, PALE, PEN_BLUE, RIGHT, Column, Sheet

TYPED = "#16295e"


def _entry(sheet: Sheet, x: float, y: float, width: float, label: str, value: str, *, face: str = "mono") -> None:
    """A boxed field with its label above the line and the value inside."""
    sheet.box(x, y, width, 92, line="#8b919a", fill="#fbfcfd")
    sheet.write(x + 14, y + 28, label, size=20, colour=GREY)
    size, colour, drop = (46, PEN_BLUE, 80) if face == "hand" else (30, TYPED, 74)
    sheet.write(x + 16, y + drop, value, size=size, face=face, colour=colour)


def _section(sheet: Sheet, y: float, number: int, title: str) -> None:
    sheet.box(LEFT, y, RIGHT - LEFT, 50, fill="#2d5f5d")
    sheet.write(LEFT + 18, y + 36, f"{number}  {title}", face="bold", size=27, colour="white")


def registration(sheet: Sheet, values: Mapping[str, str], ticked: Sequence[str]) -> None:
    """A sports club's registration; `values` by printed label, `ticked` the labels of the crossed boxes."""
    _registration_head(sheet)
    middle, half = 840, (RIGHT - LEFT - 24) / 2
    _section(sheet, 440, 1, "About you")
    places = (
        ("First name", LEFT, 512, half), ("Last name", middle, 512, half),
        ("Date of birth", LEFT, 624, half), ("Nationality", middle, 624, half),
        ("Street and number", LEFT, 736, RIGHT - LEFT),
        ("Postal code", LEFT, 848, 400), ("City", 554, 848, RIGHT - 554),
        ("E-mail", LEFT, 960, half), ("Phone", middle, 960, half),
    )  # fmt: skip
    for label, x, y, width in places:
        _entry(sheet, x, y, width, label, values[label])
    _choices(sheet, ticked)
    _section(sheet, 1690, 4, "Signature")
    _entry(sheet, LEFT, 1762, half, "Place and date", values["Place and date"], face="hand")
    sheet.box(middle, 1762, half, 150, line="#8b919a", fill="#fbfcfd")
    sheet.write(middle + 14, 1790, "Signature of the member", size=20, colour=GREY)
    sheet.write(middle + 60, 1884, values["Signature"], face="signature", size=110, colour=PEN_BLUE)
    _registration_foot(sheet)


def _registration_head(sheet: Sheet) -> None:
    sheet.mark("wave", LEFT, 120, 130, "#2d5f5d")
    sheet.write(290, 176, "Harbour Rowing Club", face="bold", size=46)
    sheet.write(290, 224, "Boathouse 2, Saltmarsh Quay, Port Ellery", size=26, colour=GREY)
    sheet.write(RIGHT, 176, "Form R-2", size=26, colour=GREY, align="right")
    sheet.write(LEFT, 340, "Membership registration", face="serif", size=54)
    sheet.write(LEFT, 396, "Please complete every field in block letters and hand the form to the office.", size=26)


def _choices(sheet: Sheet, ticked: Sequence[str]) -> None:
    _section(sheet, 1100, 2, "Membership")
    groups = (
        (1206, "Type of membership", ("Individual", "Family", "Student", "Supporter")),
        (1296, "Boat class", ("Single", "Double", "Four", "Eight")),
        (1386, "Swimming certificate", ("Yes", "No")),
    )
    for y, question, answers in groups:
        sheet.write(LEFT, y, question, size=27)
        for number, answer in enumerate(answers):
            sheet.check_box(540 + number * 245, y, answer, checked=f"{question}: {answer}" in ticked)
    _section(sheet, 1450, 3, "Consent")
    for y, sentence in ((1556, "I have read the house rules of the club."), (1622, "Send me the monthly newsletter.")):
        sheet.check_box(LEFT, y, sentence, checked=sentence in ticked)


def _registration_foot(sheet: Sheet) -> None:
    sheet.box(LEFT, 1980, RIGHT - LEFT, 150, line=PALE)
    sheet.write(LEFT + 18, 2018, "For the office", size=22, colour=GREY)
    sheet.write(LEFT + 18, 2084, "Member no.", size=26)
    sheet.write(LEFT + 180, 2090, "HR-20931", face="hand", size=50, colour="#2b2b2b")
    sheet.write(900, 2084, "Entered by", size=26)
    sheet.write(1050, 2092, "m. oduya", face="hand", size=50, colour="#2b2b2b")


DELIVERED = (
    Column("Pos", LEFT + 16),
    Column("Article", 230),
    Column("Ordered", 1180, right=True),
    Column("Delivered", 1400, right=True),
)


def delivery_receipt(sheet: Sheet, values: Mapping[str, str], rows: Sequence[tuple[str, str, str, str]]) -> None:
    """A carrier's form; a value that is missing from `values` leaves its box empty."""
    sheet.mark("peak", LEFT, 120, 130, "#8a3b12")
    sheet.write(290, 180, "Corrie Freight Lines", face="bold", size=46)
    sheet.write(290, 228, "Depot North, Gate 4, Strathmoor", size=26, colour=GREY)
    sheet.write(RIGHT, 190, "DELIVERY RECEIPT", face="bold", size=44, align="right")
    third = (RIGHT - LEFT - 48) / 3
    labels = ("Delivery no.", "Delivery date", "Order no.", "Carrier", "Vehicle", "Driver")
    for number, label in enumerate(labels):
        _entry(sheet, LEFT + number % 3 * (third + 24), 320 + number // 3 * 112, third, label, values.get(label, ""))
    _entry(sheet, LEFT, 544, RIGHT - LEFT, "Consignee", values.get("Consignee", ""))
    _goods(sheet, rows)
    _entry(sheet, LEFT, 1420, third, "Packages", values.get("Packages", ""))
    _entry(sheet, LEFT + third + 24, 1420, third, "Gross weight (kg)", values.get("Gross weight (kg)", ""))
    sheet.write(LEFT, 1600, "Condition of the goods", size=27)
    sheet.check_box(540, 1600, "Complete and undamaged", checked=True)
    sheet.check_box(1030, 1600, "With reservations", checked=False)
    _reception(sheet, values)


def _goods(sheet: Sheet, rows: Sequence[tuple[str, str, str, str]]) -> None:
    sheet.box(LEFT, 690, RIGHT - LEFT, 58, fill="#e9e2dc")
    sheet.row(729, DELIVERED, tuple(column.title for column in DELIVERED), face="bold", size=25)
    for number in range(8):
        y = 748 + number * 74
        sheet.box(LEFT, y, RIGHT - LEFT, 74, line="#b9bdc4")
        if number < len(rows):
            sheet.row(y + 48, DELIVERED, rows[number], face="mono", colour=TYPED)


def _reception(sheet: Sheet, values: Mapping[str, str]) -> None:
    half = (RIGHT - LEFT - 24) / 2
    sheet.write(LEFT, 1720, "Goods received by the consignee", face="bold", size=30)
    _entry(sheet, LEFT, 1750, half, "Received by (name in block letters) *", values.get("Received by", ""), face="hand")
    _entry(sheet, LEFT + half + 24, 1750, half, "Date and time *", values.get("Date and time", ""), face="hand")
    sheet.box(LEFT, 1866, RIGHT - LEFT, 170, line="#8b919a", fill="#fbfcfd")
    sheet.write(LEFT + 14, 1894, "Signature *", size=20, colour=GREY)
    sheet.write(LEFT + 300, 2000, values["Signature"], face="signature", size=120, colour=PEN_BLUE)
    sheet.write(
        LEFT, 2090, "* required. Without the name of the recipient the carrier accepts no claims.", size=23, colour=GREY
    )


SHIPPED = (
    Column("Pos", LEFT),
    Column("Article no.", 220),
    Column("Description", 480),
    Column("Quantity", RIGHT, right=True),
)


def delivery_note(
    sheet: Sheet, facts: Mapping[str, str], rows: Sequence[tuple[str, str, str, str]], *, page: int, pages: int
) -> None:
    """One page of a delivery note in black only, as a fax or an old scanner shows it."""
    black = "#000000"
    sheet.mark("grid", LEFT, 120, 120, black)
    sheet.write(284, 176, "Tamarind Lighting", face="bold", size=44, colour=black)
    sheet.write(284, 222, "Unit 7, Foundry Lane, Eastwick", size=27, colour=black)
    sheet.write(RIGHT, 182, "DELIVERY NOTE", face="bold", size=46, align="right", colour=black)
    for number, (label, value) in enumerate(facts.items()):
        sheet.write(LEFT, 360 + number * 50, label, size=28, colour=black)
        sheet.write(470, 360 + number * 50, value, face="bold", size=28, colour=black)
    sheet.row(720, SHIPPED, tuple(column.title for column in SHIPPED), face="bold", size=27, colour=black)
    sheet.rule(742, width=4, colour=black)
    for number, row in enumerate(rows):
        sheet.row(800 + number * 66, SHIPPED, row, size=28, colour=black)
        sheet.rule(824 + number * 66, width=1, colour=black)
    sheet.write((LEFT + RIGHT) / 2, 2240, f"Page {page} of {pages}", size=26, align="centre", colour=black)
