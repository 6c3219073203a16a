"""Till receipts of fictional shops, on paper 80 mm wide."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from samples.sheet import Sheet

WIDTH, MARGIN = 640, 44
CENT = Decimal("0.01")
Purchase = tuple[int, str, Decimal]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One purchase. Prices include no tax; `paid` is what the customer handed over in cash, None for a card."""

    merchant: str
    address: tuple[str, ...]
    number: str
    at: datetime
    purchases: tuple[Purchase, ...]
    tax_name: str
    tax_percent: Decimal
    currency: str
    paid: Decimal | None
    farewell: str
    mark: str
    date_format: str = "%d %b %Y"

    @property
    def subtotal(self) -> Decimal:
        return sum((count * price for count, _, price in self.purchases), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return (self.subtotal * self.tax_percent / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.tax

    def truth(self) -> dict[str, str | None]:
        """What a perfect reader finds: as printed, dates as ISO 8601, money as decimals; None is not on the paper."""
        change = None if self.paid is None else str(self.paid - self.total)
        return {
            "merchant": self.merchant,
            "receipt_number": self.number,
            "date": self.at.date().isoformat(),
            "time": self.at.strftime("%H:%M"),
            "currency": self.currency,
            "subtotal": str(self.subtotal),
            "tax": str(self.tax),
            "total": str(self.total),
            "cash": None if self.paid is None else str(self.paid),
            "change": change,
        }


def slip(receipt: Receipt, random: Random, *, colour: str = "#24262b") -> Sheet:
    """The receipt as the till printed it; `colour` is how dark the thermal head was."""
    sheet = Sheet((WIDTH, 1060 + 44 * len(receipt.purchases) - (44 if receipt.paid is None else 0)))
    y = _head(sheet, receipt, colour)
    y = _facts(sheet, y, receipt, colour)
    for count, name, price in receipt.purchases:
        label = name if count == 1 else f"{count} x {name}"
        y = _pair(sheet, y, label, f"{count * price:.2f}", colour)
    y = _sums(sheet, _dashes(sheet, y, colour), receipt, colour)
    sheet.write(WIDTH / 2, y + 40, receipt.farewell, size=26, face="mono", colour=colour, align="centre")
    _bars(sheet, y + 80, receipt.number, random, colour)
    return sheet


def _head(sheet: Sheet, receipt: Receipt, colour: str) -> int:
    sheet.mark(receipt.mark, WIDTH / 2 - 40, 46, 80, colour)
    sheet.write(WIDTH / 2, 190, receipt.merchant, size=42, face="bold", colour=colour, align="centre")
    y = 236
    for line in receipt.address:
        sheet.write(WIDTH / 2, y, line, size=25, face="mono", colour=colour, align="centre")
        y += 36
    return y


def _facts(sheet: Sheet, y: int, receipt: Receipt, colour: str) -> int:
    y = _dashes(sheet, y - 6, colour)
    y = _pair(sheet, y, "Receipt", receipt.number, colour)
    y = _pair(sheet, y, receipt.at.strftime(receipt.date_format), receipt.at.strftime("%H:%M"), colour)
    return _dashes(sheet, y, colour)


def _sums(sheet: Sheet, y: int, receipt: Receipt, colour: str) -> int:
    y = _pair(sheet, y, "Subtotal", f"{receipt.subtotal:.2f}", colour)
    y = _pair(sheet, y, f"{receipt.tax_name} {receipt.tax_percent.normalize():f}%", f"{receipt.tax:.2f}", colour)
    sheet.write(MARGIN, y + 20, f"TOTAL {receipt.currency}", size=38, face="bold", colour=colour)
    sheet.write(WIDTH - MARGIN, y + 20, f"{receipt.total:.2f}", size=42, face="bold", colour=colour, align="right")
    y = _dashes(sheet, y + 62, colour)
    if receipt.paid is None:
        return _pair(sheet, y, "Card ************4417", f"{receipt.total:.2f}", colour)
    y = _pair(sheet, y, "Cash", f"{receipt.paid:.2f}", colour)
    return _pair(sheet, y, "Change", f"{receipt.paid - receipt.total:.2f}", colour)


def _pair(sheet: Sheet, y: int, label: str, value: str, colour: str) -> int:
    sheet.write(MARGIN, y, label, size=27, face="mono", colour=colour)
    sheet.write(WIDTH - MARGIN, y, value, size=27, face="mono", colour=colour, align="right")
    return y + 44


def _dashes(sheet: Sheet, y: int, colour: str) -> int:
    sheet.write(WIDTH / 2, y, "-" * 34, size=27, face="mono", colour=colour, align="centre")
    return y + 44


def _bars(sheet: Sheet, y: int, number: str, random: Random, colour: str) -> None:
    x = 130.0
    while x < WIDTH - 130:
        width = random.choice((3, 3, 6, 9))
        sheet.box(x, y, width - 1, 84, fill=colour)
        x += width + random.choice((3, 3, 6))
    sheet.write(WIDTH / 2, y + 116, " ".join(number), size=22, face="mono", colour=colour, align="centre")


def purchases(*rows: tuple[int, str, str]) -> tuple[Purchase, ...]:
    return tuple((count, name, Decimal(price)) for count, name, price in rows)
