"""The thirteen sample documents: what each says, what happened to it, and why it is there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from PIL import Image, ImageFilter

from samples import forms, wear
from samples.invoices import Company, Invoice, Item, classic, german_letter, modern
from samples.receipts import Receipt, purchases, slip
from samples.sheet import DPI, Sheet

Truth = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One document that was written: where, of which type, what it shows, and what a perfect reader would find.

    Truth is what is printed: dates as ISO 8601, money as decimals, check boxes as "yes" and "no"; None is a value
    that the document has a place for and does not give.
    """

    path: Path
    document_type: str
    note: str
    truth: dict[str, str | None]


def draw(directory: Path, *, seed: int = 1) -> list[Sample]:
    """Writes every sample into `directory` (made if absent) and returns them in the order of their names."""
    directory.mkdir(parents=True, exist_ok=True)
    samples = []
    for name, (document_type, note, make) in sorted(_DOCUMENTS.items()):
        path = directory / name
        truth = make(path, Random(f"{seed} {name}"))
        samples.append(Sample(path, document_type, note, dict(truth)))
    return samples


# How a picture becomes a file


def _save(picture: Image.Image, path: Path, *, quality: int = 82) -> None:
    if path.suffix == ".png":
        picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True, dpi=(DPI, DPI))
    else:
        picture.save(path, quality=quality, optimize=True, dpi=(DPI, DPI))


def _scan(picture: Image.Image, random: Random, *, degrees: float = 0.0, strength: float = 3.0) -> Image.Image:
    """An ordinary scan: paper not quite white, letters not quite sharp, laid nearly straight."""
    picture = wear.tint(picture.filter(ImageFilter.GaussianBlur(0.7)), "#f6f4ee")
    picture = wear.skew(picture, degrees, around="#e9e7e1")
    return wear.grain(wear.uneven_light(picture, random, depth=14), random, strength=strength)


# The companies and what they sell


def _items(*rows: tuple[str, str, int, str]) -> tuple[Item, ...]:
    return tuple(Item(code, description, quantity, Decimal(price)) for code, description, quantity, price in rows)


BLUEWATER = Company(
    "Bluewater Office Interiors", ("48 Pelican Wharf", "Port Ellery 4021"), "Tax ID", "84-2210937", "wave", "#1f5f8b",
    ("Bank: First Harbour Bank", "Account: 0021 448 190", "Reference: the invoice number"),
    "Bluewater Office Interiors  ·  accounts@bluewater.example  ·  +1 555 0142",
)  # fmt: skip
NORTHFIELD = Company(
    "Northfield Paper Supply", ("14 Mill Lane, Harrow Bay 2090",), "ABN", "83 914 571 673", "ring", "#1d4d38",
    ("Bank: Harrow Mutual", "BSB 000-217   Account 4471 0098", "Payment within 30 days"),
    "Northfield Paper Supply  ·  orders@northfield.example",
)  # fmt: skip
ALDER = Company(
    "Alder & Finch Catering", ("9 Orchard Row", "Little Wenham"), "VAT no.", "GB 000 4471 28", "grid", "#7a2e3a",
    ("Bank: Wenham Savings", "Sort code 00-11-22   Account 30441987", "Please quote the invoice number"),
    "Alder & Finch Catering  ·  office@alderfinch.example",
)  # fmt: skip
MERIDIAN = Company(
    "Meridian Lab Supplies", ("220 Quarry Road", "Stonebridge"), "VAT no.", "GB 000 9182 73", "peak", "#34495e",
    ("Bank: Stonebridge Trust", "Sort code 00-44-17   Account 77120456", "Payment within 30 days of the invoice date"),
    "Meridian Lab Supplies  ·  billing@meridian.example",
)  # fmt: skip
WERKHOF = Company(
    "Werkhof Lindenau", ("Gerberweg 12", "04177 Musterstadt"), "USt-IdNr.", "DE000119283", "grid", "#35592f",
    ("Stadtbank Musterstadt", "IBAN DE00 1234 5678 0000 4711 00", "BIC MUSTDE00XXX"), "Holzbau und Möbel",
)  # fmt: skip
KESTREL = ("Kestrel Clinics Pty Ltd", "Accounts Payable", "Level 3, 220 Quay Street", "Brisbane QLD 4000")


def _clean_invoice(path: Path, random: Random) -> Truth:
    invoice = Invoice(
        BLUEWATER, ("Corvane Analytics Inc.", "Attn. Facilities", "700 Lantern Street", "Port Ellery 4019"),
        "BW-10482", date(2026, 3, 18), date(2026, 4, 17), "PO-77310",
        _items(
            ("DSK-160", "Height-adjustable desk 160 x 80", 6, "489.00"),
            ("CHR-21", "Task chair, black mesh", 6, "214.50"),
            ("CAB-3", "Pedestal cabinet, 3 drawers", 4, "129.00"),
            ("LMP-8", "LED desk lamp", 6, "42.75"),
            ("INS-1", "Delivery and assembly", 1, "380.00"),
        ),
        "Sales tax", Decimal("8.5"), "USD", symbol="$",
    )  # fmt: skip
    (sheet,) = modern(invoice)
    _save(sheet.image, path)
    return invoice.truth()


def _noisy_invoice(path: Path, random: Random) -> Truth:
    invoice = Invoice(
        NORTHFIELD, KESTREL, "NP-20817", date(2026, 3, 7), date(2026, 4, 6), "4500-1187",
        _items(
            ("A4-80", "Copy paper A4 80gsm, carton", 24, "31.50"),
            ("LBL-62", "Thermal label roll 62mm", 40, "7.85"),
            ("ENV-C5", "Envelope C5 window, box 500", 6, "42.10"),
            ("TNR-26X", "Toner cartridge 26X black", 3, "118.00"),
            ("FRT", "Freight, metro", 1, "18.00"),
        ),
        "GST", Decimal(10), "AUD", handwritten_order=True, date_format="%d/%m/%Y", title="TAX INVOICE",
    )  # fmt: skip
    sheet = Sheet()
    classic(sheet, invoice)
    picture = wear.fade(sheet.image.filter(ImageFilter.GaussianBlur(1.0)), random, remaining=0.52, streaks=5)
    picture = wear.skew(wear.tint(picture, "#eeebe2"), -1.7, around="#d8d5cc")
    picture = wear.speckle(wear.uneven_light(picture, random, depth=46), random, count=900)
    _save(wear.grain(picture, random, strength=7), path, quality=66)
    return invoice.truth()


def _wrong_total(path: Path, random: Random) -> Truth:
    invoice = Invoice(
        ALDER, ("Thornbury Events Ltd", "Purchase Ledger", "3 Station Parade", "Thornbury"),
        "AF-2291", date(2026, 2, 24), date(2026, 3, 26), "TE-0588",
        _items(
            ("BUF-60", "Cold buffet, per person", 60, "14.20"),
            ("DES-60", "Dessert table, per person", 60, "5.35"),
            ("BEV-2", "Beverage package B", 60, "7.90"),
            ("STF-4", "Service staff, 4 persons", 6, "96.00"),
            ("HIR-1", "Glass and linen hire", 1, "148.50"),
        ),
        "VAT", Decimal(20), "GBP", printed_total=Decimal("2854.80"),
    )  # fmt: skip
    sheet = Sheet()
    classic(sheet, invoice)
    _save(_scan(sheet.image, random, degrees=0.4), path)
    return invoice.truth()


def _two_pages(path: Path, random: Random) -> Truth:
    goods = (
        ("Nitrile gloves, box 100", "9.40"), ("Pipette tips 200 ul, rack", "12.85"), ("Petri dish 90 mm", "6.30"),
        ("Beaker 250 ml borosilicate", "4.95"), ("Beaker 600 ml borosilicate", "7.10"), ("Cylinder 100 ml", "8.20"),
        ("Centrifuge tube 15 ml, pack 50", "11.60"), ("Centrifuge tube 50 ml, pack 25", "13.25"),
        ("Microscope slide, box 50", "5.45"), ("Cover slip 22 mm, box 200", "6.90"), ("Parafilm roll 10 cm", "28.40"),
        ("Wash bottle 500 ml", "3.75"), ("Spatula, stainless", "4.15"), ("Magnetic stir bar, set", "16.80"),
        ("Filter paper 110 mm, pack", "7.65"), ("Syringe filter 0.45 um, pack", "41.20"), ("pH buffer set", "22.50"),
        ("Conductivity standard 500 ml", "18.90"), ("Safety goggles", "6.20"), ("Lab coat, size M", "24.00"),
        ("Lab coat, size L", "24.00"), ("Waste bag, roll 50", "9.95"), ("Autoclave tape", "5.10"),
        ("Thermometer -10 to 110 C", "11.35"), ("Timer, digital", "8.80"), ("Label tape, white", "7.25"),
    )  # fmt: skip
    rows = [(f"ML-{410 + 7 * number}", name, 2 + number * 5 % 9, price) for number, (name, price) in enumerate(goods)]
    invoice = Invoice(
        MERIDIAN, ("University of Stonebridge", "Department of Chemistry", "1 College Green", "Stonebridge"),
        "ML-2026-0418", date(2026, 4, 21), date(2026, 5, 21), "CHEM-2290",
        _items(*rows), "VAT", Decimal(20), "GBP",
    )  # fmt: skip
    first, *others = (sheet.image for sheet in modern(invoice, rows_on_first=19))
    # Without these the writer would put the time of day into the file.
    first.save(path, append_images=others, save_all=True, resolution=DPI, quality=80, creationDate=None, modDate=None)
    return invoice.truth()


def _rotated_invoice(path: Path, random: Random) -> Truth:
    invoice = Invoice(
        MERIDIAN, ("Ferncliff Water Board", "Accounts", "Reservoir Road 1", "Ferncliff"),
        "ML-2026-0377", date(2026, 4, 2), date(2026, 5, 2), "FW-11820",
        _items(
            ("ML-901", "Turbidity meter, portable", 2, "612.00"),
            ("ML-914", "Sample bottle 1 l, case 12", 8, "33.40"),
            ("ML-930", "Chlorine test kit", 15, "27.95"),
            ("ML-CAL", "Calibration certificate", 2, "85.00"),
        ),
        "VAT", Decimal(20), "GBP",
    )  # fmt: skip
    (sheet,) = modern(invoice)
    picture = _scan(sheet.image, random, degrees=-0.6)
    _save(picture.transpose(Image.Transpose.ROTATE_270), path)
    return invoice.truth()


def _german_invoice(path: Path, random: Random) -> Truth:
    invoice = Invoice(
        WERKHOF, ("Praxis Dr. Sommerfeld", "Frau Ines Albrecht", "Am Alten Markt 5", "04103 Musterstadt"),
        "2026-0193", date(2026, 5, 4), date(2026, 5, 18), "B-3307",
        _items(
            ("1", "Empfangstresen Eiche, nach Maß", 1, "2480.00"),
            ("2", "Wandregal Eiche 180 cm", 4, "219.50"),
            ("3", "Sitzbank Wartezimmer", 3, "345.00"),
            ("4", "Türbeschlag Edelstahl", 6, "48.90"),
            ("5", "Montage, Stunden", 14, "62.00"),
        ),
        "MwSt.", Decimal(19), "EUR", date_format="%d.%m.%Y", title="Rechnung",
    )  # fmt: skip
    sheet = Sheet()
    german_letter(sheet, invoice)
    _save(sheet.image, path)
    return invoice.truth()


# Receipts


def _thermal_receipt(path: Path, random: Random) -> Truth:
    receipt = Receipt(
        "Juniper & Rye Bakery", ("22 Market Cross", "Little Wenham", "Tel 555 0188"), "004417",
        datetime(2026, 3, 21, 8, 42),  # noqa: DTZ001
        purchases((2, "Flat white", "3.40"), (1, "Rye loaf 800 g", "4.60"), (3, "Cinnamon bun", "2.75")),
        "VAT", Decimal(20), "GBP", Decimal("30.00"), "Thank you, see you soon!", "ring",
    )  # fmt: skip
    sheet = slip(receipt, random)
    _save(_scan(sheet.image, random, strength=2.0), path)
    return receipt.truth()


def _faded_receipt(path: Path, random: Random) -> Truth:
    receipt = Receipt(
        "Copperfield Hardware", ("Unit 3, Canal Street", "Eastwick"), "71-20933", datetime(2026, 1, 30, 16, 5),  # noqa: DTZ001
        purchases(
            (1, "Cordless drill 18V", "89.00"), (4, "Wall plug 8 mm", "2.15"), (2, "Masking tape", "3.80"),
            (1, "Spirit level 60cm", "17.45"), (6, "Wood screw box", "4.95"),
        ),
        "VAT", Decimal(20), "GBP", None, "Returns within 28 days", "peak",
    )  # fmt: skip
    sheet = slip(receipt, random, colour="#4a4754")
    picture = wear.fade(sheet.image, random, remaining=0.40, streaks=9)
    picture = wear.uneven_light(wear.tint(picture.filter(ImageFilter.GaussianBlur(0.8)), "#f7f3ea"), random, depth=26)
    _save(wear.grain(picture, random, strength=4), path)
    return receipt.truth()


def _crumpled_receipt(path: Path, random: Random) -> Truth:
    receipt = Receipt(
        "Saffron Street Kitchen", ("118 Saffron Street", "Brisbane QLD 4000", "ABN 41 220 918 334"), "T12-0931",
        datetime(2026, 2, 12, 19, 27),  # noqa: DTZ001
        purchases(
            (2, "Lamb korma", "21.50"), (1, "Palak paneer", "18.90"), (3, "Garlic naan", "4.50"),
            (2, "Mango lassi", "6.20"), (1, "Pistachio kulfi", "7.80"),
        ),
        "GST", Decimal(10), "AUD", Decimal("120.00"), "Tips are never expected", "wave", date_format="%d/%m/%Y",
    )  # fmt: skip
    sheet = slip(receipt, random)
    paper = wear.tint(sheet.image.filter(ImageFilter.GaussianBlur(0.6)), "#f3efe6")
    picture = wear.photograph(wear.crumple(paper, random, folds=11, bend=6), random, table="#6b4a32", degrees=3.2)
    picture = wear.shade(
        picture, [(0.0, 0.62), (0.55, 0.48), (1.0, 0.7), (1.0, 1.0), (0.0, 1.0)], darkness=0.42, softness=60
    )
    _save(wear.grain(picture, random, strength=4), path, quality=76)
    return receipt.truth()


def _upside_down_receipt(path: Path, random: Random) -> Truth:
    receipt = Receipt(
        "Pinnacle Fuel & Go", ("Ring Road East", "Strathmoor"), "88120", datetime(2026, 4, 9, 6, 58),  # noqa: DTZ001
        purchases((1, "Diesel 41.20 l", "52.33"), (1, "Screen wash 5 l", "6.49"), (2, "Still water", "1.35")),
        "VAT", Decimal(20), "GBP", None, "Drive safely", "peak",
    )  # fmt: skip
    picture = _scan(slip(receipt, random).image, random, degrees=0.8)
    _save(picture.transpose(Image.Transpose.ROTATE_180), path)
    return receipt.truth()


# Forms


def _registration(path: Path, random: Random) -> Truth:
    values = {
        "First name": "Imogen", "Last name": "Okafor-Lindqvist", "Date of birth": "14/09/1991",
        "Nationality": "British", "Street and number": "27 Lighthouse Terrace", "Postal code": "PE4 8QN",
        "City": "Port Ellery", "E-mail": "imogen.ol@mail.example", "Phone": "+44 1632 960 217",
        "Place and date": "Port Ellery, 02/05/2026", "Signature": "I. Okafor",
    }  # fmt: skip
    ticked = (
        "Type of membership: Individual", "Boat class: Double", "Boat class: Four", "Swimming certificate: Yes",
        "I have read the house rules of the club.",
    )  # fmt: skip
    sheet = Sheet()
    forms.registration(sheet, values, ticked)
    _save(_scan(sheet.image, random, degrees=0.3, strength=2.0), path)
    return {
        "first_name": values["First name"], "last_name": values["Last name"], "date_of_birth": "1991-09-14",
        "nationality": values["Nationality"], "street": values["Street and number"],
        "postal_code": values["Postal code"], "city": values["City"],
        "email": values["E-mail"], "phone": values["Phone"], "member_number": "HR-20931",
        "individual": "yes", "family": "no", "student": "no", "supporter": "no", "single": "no", "double": "yes",
        "four": "yes", "eight": "no", "swimming_certificate": "yes", "house_rules": "yes", "newsletter": "no",
    }  # fmt: skip


def _incomplete_delivery(path: Path, random: Random) -> Truth:
    values = {
        "Delivery no.": "CF-558210", "Delivery date": "11/05/2026", "Order no.": "4500-1342",
        "Carrier": "Corrie Freight", "Vehicle": "SM26 KTD", "Driver": "A. Petrov",
        "Consignee": "Kestrel Clinics, Loading Bay B, Quay Street", "Packages": "7", "Gross weight (kg)": "184.5",
        "Date and time": "11/05/26 09:40", "Signature": "Rj Hale",
    }  # fmt: skip
    rows = [
        ("1", "Examination couch, grey", "2", "2"), ("2", "Instrument trolley", "3", "3"),
        ("3", "LED examination lamp", "2", "2"),
    ]  # fmt: skip
    sheet = Sheet()
    forms.delivery_receipt(sheet, values, rows)
    _save(_scan(sheet.image, random, degrees=-0.5), path)
    return {
        "delivery_number": values["Delivery no."], "delivery_date": "2026-05-11", "order_number": values["Order no."],
        "carrier": values["Carrier"], "vehicle": values["Vehicle"], "driver": values["Driver"],
        "consignee": values["Consignee"], "packages": "7", "gross_weight_kg": "184.5", "received_by": None,
        "received_at": "2026-05-11T09:40",
    }  # fmt: skip


def _faxed_delivery(path: Path, random: Random) -> Truth:
    facts = {
        "Delivery note no.": "TL-90355", "Date": "8 May 2026", "Order no.": "WP-6120",
        "Deliver to": "Willow Park Hotel, Service Entrance", "Shipped by": "own van",
    }  # fmt: skip
    kinds = (
        "Pendant lamp, brass",
        "Wall lamp, opal glass",
        "Floor lamp, linen shade",
        "Bedside lamp",
        "Bulb E27 warm white",
    )
    pages = []
    for page in (1, 2, 3):
        lines = range(12 * page - 12, 12 * page)
        rows = [
            (str(line + 1), f"TL-{300 + 11 * line}", f"{kinds[line % 5]}, room {101 + line}", str(1 + line % 4))
            for line in lines
        ]
        sheet = Sheet()
        forms.delivery_note(sheet, facts, rows, page=page, pages=3)
        worn = wear.speckle(wear.skew(sheet.image, (0.5, -0.4, 0.2)[page - 1], around="white"), random, count=160)
        pages.append(worn.convert("L").point(lambda value: 255 * (value > 150)).convert("1"))
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="group4", dpi=(DPI, DPI))
    return {
        "delivery_number": "TL-90355", "delivery_date": "2026-05-08", "order_number": "WP-6120",
        "consignee": facts["Deliver to"], "carrier": facts["Shipped by"],
    }  # fmt: skip


_DOCUMENTS: dict[str, tuple[str, str, Callable[[Path, Random], Truth]]] = {
    "delivery-incomplete.jpg": (
        "delivery_form", "A form without the name of the recipient: a person has to ask.", _incomplete_delivery,
    ),
    "delivery-note-fax.tif": ("delivery_form", "Three black and white pages in one TIFF, a fax.", _faxed_delivery),
    "invoice-clean.png": ("invoice", "Perfectly readable and consistent: goes straight through.", _clean_invoice),
    "invoice-german.png": ("invoice", "Amounts as 1.234,50 and dates as DD.MM.YYYY.", _german_invoice),
    "invoice-noisy-scan.jpg": ("invoice", "Pale, askew, dusty, PO number by hand: needs a person.", _noisy_invoice),
    "invoice-rotated.jpg": ("invoice", "A good scan of a page that lay on its side.", _rotated_invoice),
    "invoice-two-pages.pdf": ("invoice", "The table goes on over the page; the totals are on the second.", _two_pages),
    "invoice-wrong-total.jpg": ("invoice", "Subtotal and tax do not add up to the printed total.", _wrong_total),
    "receipt-crumpled.jpg": ("receipt", "Photographed on a table, crumpled, half in shadow.", _crumpled_receipt),
    "receipt-faded.jpg": ("receipt", "Thermal print that has nearly gone.", _faded_receipt),
    "receipt-thermal.jpg": ("receipt", "A clean till receipt paid in cash.", _thermal_receipt),
    "receipt-upside-down.jpg": ("receipt", "A till receipt that was scanned upside down.", _upside_down_receipt),
    "registration-form.jpg": ("form", "Typed values in boxes, crossed check boxes and a signature.", _registration),
}  # fmt: skip
