"""What AWS would have billed."""

VERSION = "us-first-million-2026-08"

DETECT = 1_500
_ANALYSIS = {
    frozenset({"TABLES"}): 15_000,
    frozenset({"FORMS"}): 50_000,
    frozenset({"QUERIES"}): 15_000,
    frozenset({"FORMS", "TABLES"}): 65_000,
    frozenset({"TABLES", "QUERIES"}): 20_000,
    frozenset({"FORMS", "QUERIES"}): 55_000,
    frozenset({"FORMS", "TABLES", "QUERIES"}): 70_000,
}
_OTHER = {"Expense": 10_000, "ID": 25_000, "Lending": 70_000}
_LAYOUT_ALONE = 4_000
_SIGNATURES_ALONE = 3_500
_PRICED = frozenset({"FORMS", "TABLES", "QUERIES"})


def microdollars_per_page(features: frozenset[str]) -> int:
    """The price of one page in millionths of a US dollar; no features is plain text detection.

    Source: AWS's pricing examples for US regions, first million pages a month. LAYOUT is free beside TABLES or FORMS,
    SIGNATURES beside FORMS, TABLES or LAYOUT.
    """
    if not features:
        return DETECT
    price = _ANALYSIS.get(features & _PRICED, 0)
    rides_free = bool(features & {"FORMS", "TABLES"})
    if "LAYOUT" in features:
        return price if rides_free else price + _LAYOUT_ALONE
    if "SIGNATURES" in features and not rides_free:
        return price + _SIGNATURES_ALONE
    return price


def microdollars_of(operation: str, features: frozenset[str]) -> int:
    """The price of one page of any operation, synchronous or started as a job."""
    other = next((price for name, price in _OTHER.items() if name in operation), None)
    return microdollars_per_page(features) if other is None else other
