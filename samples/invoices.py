"""Invoices in three layouts of fictional companies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from samples.sheet import GREY, LEFT, PALE, PEN_BLUE, RIGHT, Column, Sheet

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Company:
    name: str
    address: tuple[str, ...]
    tax_label: str
    tax_id: str
    mark: str
    colour: str
    payment: tuple[str, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class Item:
    code: str
    description: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Invoice:
    """What an invoice says. `printed_total` differs from the sum only where an invoice is wrong on purpose."""

    supplier: Company
    customer: tuple[str, ...]
    number: str
    issued: date
    due: date
    order: str
    items: tuple[Item, ...]
    tax_name: str
    tax_percent: Decimal
    currency: str
    printed_total: Decimal | None = None
    handwritten_order: bool = False
    date_format: str = "%d %B %Y"
    title: str = "INVOICE"
    symbol: str = ""

    @property
    def subtotal(self) -> Decimal:
        return sum((item.amount for item in self.items), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return (self.subtotal * self.tax_percent / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        return self.printed_total or self.subtotal + self.tax

    def truth(self) -> dict[str, str | None]:
        """What a perfect reader finds: as printed, dates as ISO 8601, money as decimals."""
        return {
            "supplier": self.supplier.name,
            "supplier_tax_id": self.supplier.tax_id,
            "customer": self.customer[0],
            "invoice_number": self.number,
            "invoice_date": self.issued.isoformat(),
            "due_date": self.due.isoformat(),
            "po_number": self.order,
            "currency": self.currency,
            "subtotal": str(self.subtotal),
            "tax": str(self.tax),
            "total": str(self.total),
        }


@dataclass(frozen=True, slots=True)
class Words:
    """The names an invoice prints beside its values, and how it writes money."""

    bill_to: str = "BILL TO"
    meta: tuple[str, str, str, str] = ("Invoice no.", "Invoice date", "Due date", "PO number")
    table: tuple[str, str, str, str, str] = ("ITEM", "DESCRIPTION", "QTY", "UNIT PRICE", "AMOUNT")
    subtotal: str = "Subtotal"
    total: str = "Total"
    payment: str = "PAYMENT"

    def money(self, value: Decimal) -> str:
        return f"{value:,.2f}"


class German(Words):
    def money(self, value: Decimal) -> str:
        return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


ENGLISH = Words()
GERMAN = German(
    bill_to="",
    meta=("Rechnungs-Nr.", "Rechnungsdatum", "Zahlbar bis", "Ihre Bestellung"),
    table=("Pos.", "Bezeichnung", "Menge", "Einzelpreis", "Betrag"),
    subtotal="Zwischensumme (netto)",
    total="Rechnungsbetrag",
    payment="Bankverbindung",
)


def _meta(invoice: Invoice) -> tuple[str, str, str, str]:
    days = (invoice.issued.strftime(invoice.date_format), invoice.due.strftime(invoice.date_format))
    return invoice.number, *days, invoice.order


# The classic letter: sign and address on the left, a table ruled in thin lines


CLASSIC = tuple(
    Column(title, x, right=right)
    for title, x, right in zip(
        ENGLISH.table, (LEFT, 330, 1090, 1320, RIGHT), (False, False, True, True, True), strict=True
    )
)


def classic(sheet: Sheet, invoice: Invoice) -> None:
    _letterhead(sheet, invoice)
    sheet.write(LEFT, 470, ENGLISH.bill_to, size=23, colour=GREY)
    sheet.write(LEFT, 514, invoice.customer[0], face="bold", size=30)
    sheet.lines(LEFT, 558, invoice.customer[1:], step=42)
    for number, (label, value) in enumerate(zip(ENGLISH.meta, _meta(invoice), strict=True)):
        y = 480 + number * 54
        sheet.write(930, y, label, size=25, colour=GREY)
        if label == "PO number" and invoice.handwritten_order:
            sheet.write(RIGHT + 12, y + 10, value, size=58, face="hand", colour=PEN_BLUE, align="right")
        else:
            sheet.write(RIGHT, y, value, face="bold" if number == 0 else "sans", align="right")
    y = _ruled_table(sheet, 800, invoice.items)
    _payment(sheet, y + 110, invoice)
    _plain_totals(sheet, y + 100, invoice)


def _letterhead(sheet: Sheet, invoice: Invoice) -> None:
    supplier = invoice.supplier
    sheet.mark(supplier.mark, LEFT, 140, 120, supplier.colour)
    sheet.write(284, 180, supplier.name, face="bold", size=42)
    y = sheet.lines(284, 224, supplier.address, size=27, colour="#3a3f47")
    sheet.write(284, y, f"{supplier.tax_label} {supplier.tax_id}", size=27, colour="#3a3f47")
    sheet.write(RIGHT, 192, invoice.title, face="bold", size=54, align="right")


def _cells(item: Item, words: Words = ENGLISH) -> tuple[str, str, str, str, str]:
    return item.code, item.description, str(item.quantity), words.money(item.price), words.money(item.amount)


def _ruled_table(sheet: Sheet, y: int, items: Sequence[Item]) -> int:
    sheet.row(y, CLASSIC, ENGLISH.table, face="bold", size=24)
    sheet.rule(y + 24, width=4)
    for item in items:
        y += 76
        sheet.row(y, CLASSIC, _cells(item))
        sheet.rule(y + 26, colour=PALE)
    return y


def _plain_totals(sheet: Sheet, y: int, invoice: Invoice) -> None:
    tax = f"{invoice.tax_name} {invoice.tax_percent.normalize():f}%"
    for label, value in ((ENGLISH.subtotal, invoice.subtotal), (tax, invoice.tax)):
        sheet.write(930, y, label)
        sheet.write(RIGHT, y, invoice.symbol + ENGLISH.money(value), align="right")
        y += 58
    sheet.rule(y - 32, start=930, width=4)
    sheet.write(930, y + 16, f"{ENGLISH.total} {invoice.currency}", face="bold", size=34)
    sheet.write(RIGHT, y + 16, invoice.symbol + ENGLISH.money(invoice.total), face="bold", size=38, align="right")


def _payment(sheet: Sheet, y: int, invoice: Invoice) -> None:
    sheet.write(LEFT, y, ENGLISH.payment, size=23, colour=GREY)
    sheet.lines(LEFT, y + 42, invoice.supplier.payment, size=26)
    sheet.rule(2190, colour=PALE)
    sheet.write((LEFT + RIGHT) / 2, 2232, invoice.supplier.footer, size=22, colour=GREY, align="centre")


# The modern one: a band of colour, a strip of facts, a filled table; may go on over several pages


MODERN = tuple(
    Column(title, x, right=right)
    for title, x, right in zip(
        ENGLISH.table, (LEFT + 20, 330, 1090, 1310, RIGHT - 20), (False, False, True, True, True), strict=True
    )
)


def modern(invoice: Invoice, *, rows_on_first: int = 14) -> list[Sheet]:
    """The pages of the invoice; the table goes on where a page is full."""
    parts = [invoice.items[:rows_on_first], invoice.items[rows_on_first:]] if len(invoice.items) > rows_on_first else []
    parts = parts or [invoice.items]
    sheets, carried = [], Decimal(0)
    for number, items in enumerate(parts, start=1):
        sheet = Sheet()
        y = _band(sheet, invoice) if number == 1 else _short_band(sheet, invoice, carried)
        y = _filled_table(sheet, y, items, invoice)
        carried += sum((item.amount for item in items), Decimal(0))
        if number == len(parts):
            _boxed_totals(sheet, y + 60, invoice)
            _payment(sheet, y + 90, invoice)
        else:
            sheet.write(1310, y + 62, "Carried forward", size=27, colour=GREY, align="right")
            sheet.write(RIGHT - 20, y + 62, ENGLISH.money(carried), align="right")
        sheet.write(RIGHT, 2290, f"Page {number} of {len(parts)}", size=22, colour=GREY, align="right")
        sheets.append(sheet)
    return sheets


def _band(sheet: Sheet, invoice: Invoice) -> int:
    supplier = invoice.supplier
    sheet.box(0, 0, sheet.image.width, 250, fill=supplier.colour)
    sheet.mark(supplier.mark, LEFT, 70, 110, "#ffffff")
    sheet.write(280, 118, supplier.name, face="serif", size=50, colour="#ffffff")
    sheet.write(280, 172, "  ·  ".join(supplier.address), size=25, colour="#eef1f4")
    sheet.write(RIGHT, 142, invoice.title, face="bold", size=50, colour="#ffffff", align="right")
    sheet.write(LEFT, 340, ENGLISH.bill_to, size=23, colour=GREY)
    sheet.write(LEFT, 384, invoice.customer[0], face="bold", size=30)
    sheet.lines(LEFT, 426, invoice.customer[1:], step=40)
    sheet.write(RIGHT, 384, f"{supplier.tax_label} {supplier.tax_id}", size=27, align="right")
    sheet.box(LEFT, 580, RIGHT - LEFT, 120, fill="#f1f3f5")
    for number, (label, value) in enumerate(zip(ENGLISH.meta, _meta(invoice), strict=True)):
        x = LEFT + 24 + number * 350
        sheet.write(x, 624, label, size=23, colour=GREY)
        sheet.write(x, 668, value, face="bold", size=29)
    return 790


def _short_band(sheet: Sheet, invoice: Invoice, carried: Decimal) -> int:
    sheet.box(0, 0, sheet.image.width, 60, fill=invoice.supplier.colour)
    sheet.write(LEFT, 140, invoice.supplier.name, face="serif", size=38)
    sheet.write(RIGHT, 140, f"Invoice {invoice.number}, continued", size=27, colour=GREY, align="right")
    sheet.write(1310, 232, "Brought forward", size=27, colour=GREY, align="right")
    sheet.write(RIGHT - 20, 232, ENGLISH.money(carried), align="right")
    return 300


def _filled_table(sheet: Sheet, y: int, items: Sequence[Item], invoice: Invoice) -> int:
    sheet.box(LEFT, y - 42, RIGHT - LEFT, 62, fill=invoice.supplier.colour)
    sheet.row(y, MODERN, ENGLISH.table, face="bold", size=24, colour="#ffffff")
    for number, item in enumerate(items):
        y += 62
        if number % 2:
            sheet.box(LEFT, y - 40, RIGHT - LEFT, 61, fill="#f6f7f9")
        sheet.row(y, MODERN, _cells(item))
    sheet.rule(y + 24, colour=invoice.supplier.colour, width=3)
    return y


def _boxed_totals(sheet: Sheet, y: int, invoice: Invoice) -> None:
    tax = f"{invoice.tax_name} {invoice.tax_percent.normalize():f}%"
    for label, value in ((ENGLISH.subtotal, invoice.subtotal), (tax, invoice.tax)):
        sheet.write(960, y + 30, label)
        sheet.write(RIGHT - 20, y + 30, invoice.symbol + ENGLISH.money(value), align="right")
        y += 56
    sheet.box(930, y + 4, RIGHT - 930, 82, fill=invoice.supplier.colour)
    sheet.write(960, y + 58, f"{ENGLISH.total} {invoice.currency}", face="bold", size=32, colour="#ffffff")
    amount = invoice.symbol + ENGLISH.money(invoice.total)
    sheet.write(RIGHT - 20, y + 58, amount, face="bold", size=38, colour="#ffffff", align="right")


# The German business letter (DIN 5008): address for the window, facts on the right, three columns at the foot


LETTER = tuple(
    Column(title, x, right=right)
    for title, x, right in zip(
        GERMAN.table, (LEFT, 220, 1090, 1310, RIGHT), (False, False, True, True, True), strict=True
    )
)


def german_letter(sheet: Sheet, invoice: Invoice) -> None:
    supplier = invoice.supplier
    sheet.mark(supplier.mark, RIGHT - 130, 120, 130, supplier.colour)
    sheet.write(RIGHT - 160, 180, supplier.name, face="serif", size=44, align="right")
    sheet.write(RIGHT - 160, 224, supplier.footer, size=24, colour=GREY, align="right")
    sheet.write(LEFT, 396, " · ".join((supplier.name, *supplier.address)), size=19, colour=GREY)
    sheet.rule(408, end=LEFT + 660, colour=GREY, width=1)
    sheet.lines(LEFT, 456, invoice.customer, step=42, size=29)
    for number, (label, value) in enumerate(zip(GERMAN.meta, _meta(invoice), strict=True)):
        y = 456 + number * 48
        sheet.write(950, y, label, size=25, colour=GREY)
        sheet.write(RIGHT, y, value, size=27, align="right")
    sheet.write(LEFT, 800, f"{invoice.title} {invoice.number}", face="bold", size=40)
    sheet.write(LEFT, 862, "Für unsere Lieferung berechnen wir Ihnen:", size=27)
    y = _german_table(sheet, 950, invoice)
    _german_totals(sheet, y + 74, invoice)
    _german_foot(sheet, invoice)


def _german_table(sheet: Sheet, y: int, invoice: Invoice) -> int:
    sheet.rule(y - 40, width=3)
    sheet.row(y, LETTER, GERMAN.table, face="bold", size=25)
    sheet.rule(y + 20, width=3)
    for item in invoice.items:
        y += 66
        sheet.row(y, LETTER, _cells(item, GERMAN))
    sheet.rule(y + 30, width=3)
    return y


def _german_totals(sheet: Sheet, y: int, invoice: Invoice) -> None:
    tax = f"zzgl. {invoice.tax_name} {invoice.tax_percent.normalize():f} %"
    for label, value in ((GERMAN.subtotal, invoice.subtotal), (tax, invoice.tax)):
        sheet.write(860, y, label, size=27)
        sheet.write(RIGHT, y, f"{GERMAN.money(value)} €", align="right")
        y += 54
    sheet.rule(y - 32, start=860)
    sheet.write(860, y + 10, GERMAN.total, face="bold", size=31)
    sheet.write(RIGHT, y + 10, f"{GERMAN.money(invoice.total)} €", face="bold", size=33, align="right")
    sheet.rule(y + 28, start=860)
    sheet.rule(y + 34, start=860)
    due = invoice.due.strftime(invoice.date_format)
    sheet.write(LEFT, y + 130, f"Bitte überweisen Sie den Betrag ohne Abzug bis zum {due}.", size=27)
    sheet.write(LEFT, y + 176, "Vielen Dank für Ihren Auftrag.", size=27)


def _german_foot(sheet: Sheet, invoice: Invoice) -> None:
    supplier = invoice.supplier
    sheet.rule(2110, colour=PALE)
    sheet.lines(LEFT, 2150, (supplier.name, *supplier.address), size=21, step=30, colour=GREY)
    sheet.lines(640, 2150, (GERMAN.payment, *supplier.payment), size=21, step=30, colour=GREY)
    sheet.lines(
        1180,
        2150,
        (f"{supplier.tax_label} {supplier.tax_id}", "Amtsgericht Musterstadt HRB 0000"),
        size=21,
        step=30,
        colour=GREY,
    )
