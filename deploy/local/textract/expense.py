"""AnalyzeExpense from what was found on a page: labels with values, and the table of items."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deploy.local.textract import labels
from deploy.local.textract.forms import Pair
from deploy.local.textract.layout import Placed, Sheet
from deploy.local.textract.tables import Cell, Table

Json = dict[str, Any]
Locate = Any
"""From words to their Geometry."""

# Source: AWS Textract developer guide, standard fields of invoices and receipts. The labels are those that `labels` knows.
_SUMMARY = {
    "TOTAL": """total|grand total|net total|total amount|total payable|amount payable|total incl|total sales|total sale|invoice total|
        total rounded|nett total|total rm|total price|total amt|gesamtbetrag|rechnungsbetrag|summe|total ttc|totaal|totale|
        importe total|bruttobetrag""",
    "SUBTOTAL": "sub total|subtotal|net amount|net|zwischensumme|nettobetrag|total ht|total excl|subtotaal|taxable amount|net amt",
    "TAX": "tax|sales tax|vat|gst|sst|total gst|total tax|total vat|tax amt|mwst|tva|iva|btw",
    "AMOUNT_DUE": "amount due|total due|balance due|balance|amt due|total amount due|total due now|total a payer",
    "AMOUNT_PAID": "cash|paid|amount paid|payment|tendered|cash tender|amount tendered|total paid",
    "DISCOUNT": "discount|total discount",
    "SERVICE_CHARGE": "service charge|service tax|svr chg|service chg|svr tax",
    "GRATUITY": "tip|gratuity",
    "SHIPPING_HANDLING_CHARGE": "shipping|freight|delivery",
    "INVOICE_RECEIPT_DATE": """date|invoice date|receipt date|bill date|date of issue|issue date|date issued|transaction date|datum|
        rechnungsdatum|date de facture|fecha|data""",
    "DUE_DATE": "due date|date due|payment due",
    "ORDER_DATE": "order date",
    "DELIVERY_DATE": "delivery date|ship date|date shipped|lieferdatum",
    "INVOICE_RECEIPT_ID": """invoice no|invoice number|invoice|inv no|invoice id|receipt no|receipt number|receipt|bill no|bill number|
        document no|document number|doc no|rechnungsnr|rechnungsnummer|rechnung nr|numero de facture|facture no|slip no""",
    "PO_NUMBER": "po number|po no|purchase order|purchase order no|p o number|p o no|order no|order number|order id",
    "CUSTOMER_NUMBER": "customer no|customer number|customer id|cust id|kundennr|kundennummer|kunden nr",
    "ACCOUNT_NUMBER": "account no|account number|account|account nr",
    "VENDOR_NAME": "vendor|vendor name|supplier|company|company name",
    "VENDOR_PHONE": "tel|tel no|telephone|phone|phone no|phone number|telephone number",
    "VENDOR_VAT_NUMBER": "vat no|vat number|vat id|vat reg no|ust id|ust idnr|vat reg",
    "VENDOR_GST_NUMBER": "gst no|gst id|gst id no|gst reg no|gst registration no|gstin",
    "TAX_PAYER_ID": "tax id|ein",
    "VENDOR_URL": "website|web",
    "RECEIVER_NAME": "customer|customer name|client|client name",
    "RECEIVER_ADDRESS": "bill to|billed to|billing address|sold to|invoice to",
    "PAYMENT_TERMS": "payment terms|terms",
}
TYPES = {label.strip(): type_ for type_, names in _SUMMARY.items() for label in names.split("|")}
_COLUMNS = {
    "ITEM": """description item items sale artikel omschrijving beschreibung article product service details particulars bezeichnung
        designation libelle name""",
    "QUANTITY": "quantity qty qnty units aantal menge quantite hours",
    "UNIT_PRICE": "rate each einzelpreis einheit",
    "PRICE": "amount total price bedrag sum betrag gesamtpreis gesamt prix montant cost extended preis prijs",
    "PRODUCT_CODE": "code sku no nr pos",
}
_COLUMN_BY_WORD = {word: type_ for type_, words in _COLUMNS.items() for word in words.split()}
_NAME_DOUBT = 0.7
"""A name at the top without a label is the vendor's, for the most part."""
_TOP = 0.33


def document(sheet: Sheet, pairs: Sequence[Pair], tables: Sequence[Table], *, page: int, locate: Locate) -> Json:
    """One page as an ExpenseDocument, without its blocks. Labels that are no standard field are OTHER, as AWS has them."""
    found = [_summary(pair, page, locate) for pair in pairs if pair.value]
    if not any(field["Type"]["Text"] == "VENDOR_NAME" for field in found):
        found += _name_at_the_top(sheet, page, locate)
    groups = [_group(table, page, locate) for table in tables if table.of_items and table.columns > 2]
    groups = [{"LineItemGroupIndex": number, **group} for number, group in enumerate(groups, 1) if group["LineItems"]]
    return {"ExpenseIndex": page, "SummaryFields": found, "LineItemGroups": groups}


def _summary(pair: Pair, page: int, locate: Locate) -> Json:
    type_ = TYPES.get(labels.plain(pair.key_text), "OTHER")
    return {
        "Type": {"Text": type_, "Confidence": pair.confidence},
        "LabelDetection": _detection(pair.key, locate),
        "ValueDetection": _detection(pair.value, locate),
        "PageNumber": page,
    }


def _detection(words: Sequence[Placed], locate: Locate) -> Json:
    text = " ".join(word.text for word in words)
    return {"Text": text, "Geometry": locate(words), "Confidence": min(word.confidence for word in words)}


def _name_at_the_top(sheet: Sheet, page: int, locate: Locate) -> Iterator[Json]:
    for row in sheet.rows:
        for segment in row:
            text = segment.text
            if segment.box.top > _TOP * sheet.height:
                return
            if sum(each.isalpha() for each in text) > 0.6 * len(text) and labels.kind_of(text) is None:
                confidence = _NAME_DOUBT * min(word.confidence for word in segment.words)
                yield {
                    "Type": {"Text": "VENDOR_NAME", "Confidence": confidence},
                    "ValueDetection": _detection(segment.words, locate),
                    "PageNumber": page,
                }
                return


def _group(table: Table, page: int, locate: Locate) -> Json:
    types = _types_of_columns(cell for cell in table.cells if cell.row == 1)
    rows: dict[int, list[Cell]] = {}
    for cell in table.cells:
        if cell.row > 1 and cell.words:
            rows.setdefault(cell.row, []).append(cell)
    items = [{"LineItemExpenseFields": [*_row(cells, types, table, page, locate)]} for cells in rows.values()]
    return {"LineItems": items}


def _row(cells: Sequence[Cell], types: Mapping[int, str], table: Table, page: int, locate: Locate) -> Iterator[Json]:
    for cell in cells:
        type_ = {"Text": types.get(cell.column, "OTHER"), "Confidence": table.confidence}
        yield {"Type": type_, "ValueDetection": _detection(cell.words, locate), "PageNumber": page}
    words = [word for cell in cells for word in cell.words]
    type_ = {"Text": "EXPENSE_ROW", "Confidence": table.confidence}
    yield {"Type": type_, "ValueDetection": _detection(words, locate), "PageNumber": page}


def _types_of_columns(heading: Iterable[Cell]) -> dict[int, str]:
    """Each column's type by its heading; of two amounts the last one is the row's price, the one before a unit's."""
    found: dict[int, str] = {}
    for cell in sorted(heading, key=lambda each: each.column):
        words = labels.plain(" ".join(word.text for word in cell.words)).split()
        known = [_COLUMN_BY_WORD[word] for word in words if word in _COLUMN_BY_WORD]
        if not known:
            continue
        type_ = "UNIT_PRICE" if "unit" in words and "PRICE" in known else known[0]
        before = next((column for column, each in found.items() if each == type_), None)
        if before is not None and type_ == "PRICE":
            found[before] = "UNIT_PRICE"
        elif before is not None:
            continue
        found[cell.column] = type_
    return found
