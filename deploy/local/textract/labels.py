"""Labels that invoices, receipts and forms print, and what kind of value stands beside each."""

import re
from difflib import SequenceMatcher
from functools import lru_cache

MONEY, DATE, NUMBER, TEXT, LINES = "money", "date", "number", "text", "lines"
"""Kinds of value: LINES may go on over several lines (an address)."""

_BY_KIND = {
    MONEY: """
        total|grand total|sub total|subtotal|net total|total amount|amount due|total due|balance due|balance|amount|
        amount payable|total payable|net amount|gross amount|net|tax|sales tax|vat|gst|sst|service charge|
        service tax|service|tip|gratuity|cash|change|change due|paid|amount paid|payment|tendered|cash tendered|
        rounding|rounding adjustment|rounding adj|round adj|discount|total discount|shipping|freight|delivery|deposit|
        fees|fee|credit card|debit card|visa|mastercard|master card|total sales|total sale|total incl|total excl|
        total rm|total gst|total tax|total vat|nett total|nett|gross pay|net pay|opening balance|closing balance|
        amount tendered|total paid|total price|taxable amount|invoice total|total rounded|total savings|premium|
        gross amt|net amt|total amt|tax amt|amt due|svr tax|svr chg|svc tax|service chg|total amount due|total due now|
        iva|btw|subtotaal|totaal|nettobetrag|bruttobetrag|
        rechnungsbetrag|gesamtbetrag|summe|zwischensumme|mwst|total ttc|total ht|tva|total a payer|importe total|totale
    """,
    DATE: """
        date|invoice date|due date|order date|receipt date|payment date|date of birth|birth date|dob|issue date|
        date issued|expiry date|expiration date|bill date|statement date|delivery date|ship date|date due|
        payment due|start date|end date|date of issue|date received|hire date|pay date|transaction date|date shipped|
        check in|check out|
        datum|rechnungsdatum|lieferdatum|date de facture|fecha|data
    """,
    NUMBER: """
        invoice no|invoice number|invoice|inv no|invoice id|receipt no|receipt number|receipt|bill no|bill number|
        order no|order number|order id|po number|po no|purchase order|purchase order no|p o number|p o no|
        customer no|customer number|customer id|account no|account number|account|reference no|reference number|
        reference|ref no|our ref|your ref|document no|document number|doc no|quote no|job no|tax id|vat no|
        vat number|vat id|vat reg no|gst no|gst id|gst id no|gst reg no|gst registration no|company reg no|reg no|
        co reg no|tel|tel no|telephone|phone|phone no|phone number|mobile|fax|fax no|zip|zip code|postal code|
        postcode|iban|account nr|sort code|routing number|ssn|social security number|ein|employee id|employee no|
        policy no|policy number|claim no|claim number|member id|patient id|license no|licence no|id no|id number|
        cheque no|check no|transaction no|trans no|trx no|table no|table|pos no|counter no|slip no|ticket no|
        total qty|total quantity|total items|no of items|item count|qty|quantity|time|page|pages|cashier no|terminal|
        no|nr|p o|po|p o box|po box|gstin|cin|ifsc code|pan|vat reg|uen|cust id|
        rechnungsnr|kundennr|rechnungsnummer|rechnung nr|kundennummer|kunden nr|
        ust id|ust idnr|numero de facture|facture no|
        facture n|numero|siret|delivery note|approval code|auth code|case no|batch no|lot no|serial no|amount of pages
    """,
    TEXT: """
        name|full name|first name|last name|middle name|surname|given name|customer|customer name|client|client name|
        vendor|vendor name|supplier|company|company name|employer|employee|employee name|patient|patient name|
        contact|contact name|contact person|attention|attn|subject|re|title|position|department|dept|
        job title|occupation|cashier|salesperson|sales person|served by|server|clerk|payment terms|terms|
        payment method|payment type|method of payment|ship via|currency|country|city|state|email|e mail|
        email address|website|web|description|status|gender|sex|marital status|nationality|signature|brand|
        manufacturer|product|project|bank|bank name|bic|swift|swift code|type|remarks|comments|notes|place of birth|
        telephone number|county|region|division|salesman|sales rep|account name|beneficiary|account holder|cc
    """,
    LINES: """
        bill to|billed to|billing address|ship to|shipped to|shipping address|sold to|deliver to|delivery address|
        remit to|invoice to|from|to|address|mailing address|home address|street address|customer address|company address|
        name and address|address line|current address|permanent address
    """,
}
KINDS = {label.strip(): kind for kind, labels in _BY_KIND.items() for label in labels.split("|")}
LONGEST = max(len(label.split()) for label in KINDS)
KIND_BY_LAST_WORD = {
    **dict.fromkeys(("no", "nr", "number", "id", "code", "phone", "tel", "fax", "zip", "ref", "reference"), NUMBER),
    **dict.fromkeys(("amount", "amt", "total", "tax", "fee", "fees", "charge", "charges", "balance", "price"), MONEY),
    **dict.fromkeys(("name", "method", "mode", "type", "terms", "title", "email", "by", "status"), TEXT),
    "date": DATE,
    "address": LINES,
}
LONGEST_UNKNOWN = 4
_FUZZY_FROM = 8
_ALIKE = 0.88

_QUALIFIERS = """
    incl inclusive including excl exclusive excluding of gst sst vat tax sr zr rm usd eur gbp sgd myr amount amt
    sales due payable before after rounding rounded adjustment adj with the and total qty item items rate net
    gross discount price round inc ex owed
"""
QUALIFIERS = frozenset(_QUALIFIERS.split())

_CURRENCY = r"(?:rm|usd|us\$|eur|gbp|chf|cad|aud|sgd|myr|inr|rs\.?|s\$|[$€£¥₹])"
MONEY_PATTERN = re.compile(
    rf"^[(\-+]?{_CURRENCY}?[\s:(\-+]*[.,]?\d[\d.,' ]*\)?-?\s*(?:{_CURRENCY}|%|cr|dr|sr|zr|t)?\*?$", re.IGNORECASE
)
DECIMALS = re.compile(r"[.,]\s?\d{2}(?!\d)")
_MONTH = (
    r"(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|janv|f[ée]v|avr|juin|juil|ao[uû]t|d[ée]c)[a-zé]*"
)
DATE_PATTERN = re.compile(
    rf"\d{{1,4}}\s?[./\-]\s?\d{{1,2}}\s?[./\-]\s?\d{{1,4}}|\d{{1,2}}\W{{0,2}}{_MONTH}\W{{0,2}}\d{{2,4}}|{_MONTH}\W{{0,2}}\d{{1,2}}\W{{1,2}}\d{{2,4}}",
    re.IGNORECASE,
)
ENUMERATOR = re.compile(r"^\(?(?:\d{1,2}|[A-Za-z])[.)]$")
CURRENCY_WORD = re.compile(rf"^[(]?{_CURRENCY}[):]?$", re.IGNORECASE)


def plain(text: str) -> str:
    """The text in lower case with letters and digits only, single blanks between words."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


@lru_cache(maxsize=8192)
def kind_of(text: str) -> str | None:
    """The kind of value that stands beside the label `text`, or None when it is no label we know.

    A long label may be misread by a letter or two; "Booking ID" is known by its last word, "APPROVAL #" by its sign.
    """
    wanted = plain(text)
    if wanted in KINDS:
        return KINDS[wanted]
    if text.endswith("#") and wanted:
        return NUMBER
    words = [] if "," in text else wanted.split()
    if 2 <= len(words) <= LONGEST_UNKNOWN and wanted.replace(" ", "").isalpha() and words[-1] in KIND_BY_LAST_WORD:
        return KIND_BY_LAST_WORD[words[-1]]
    if len(wanted) < _FUZZY_FROM:
        return None
    for label, kind in KINDS.items():
        close = abs(len(label) - len(wanted)) <= 2 and label.count(" ") == wanted.count(" ") and wanted[0] == label[0]
        if close and SequenceMatcher(None, label, wanted).ratio() >= _ALIKE:
            return kind
    return None


def fits(text: str, kind: str) -> bool:
    """Whether `text` looks like a value of this kind."""
    stripped = text.strip()
    if kind == MONEY:
        return bool(MONEY_PATTERN.match(stripped))
    if kind == DATE:
        return bool(DATE_PATTERN.search(stripped))
    if kind == NUMBER:
        return any(c.isdigit() for c in stripped)
    return any(c.isalnum() for c in stripped)


def fits_at_once(text: str, kind: str) -> bool:
    """The same for what follows a label: a date must begin there, not after the rest of a sentence."""
    if kind == DATE:
        found = DATE_PATTERN.search(text)
        return found is not None and len(plain(text[: found.start()]).split()) <= 1
    return fits(text, kind)
