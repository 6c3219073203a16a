"""The ways in which a document is read: at once, as a job whose answer comes whole, as one whose answer comes in parts; the last
two as values that the operation names itself, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ocr import document_types
from tenants import scope
from tests import engine as stub
from tests import make
from tests.engine import Engine, Page

# Document types that ask for the operations which name values themselves.
TYPES: dict[str, dict[str, Any]] = {
    "till": {
        "operation": "AnalyzeExpense",
        "fields": [
            {"name": "vendor", "expense": ["VENDOR_NAME"], "required": True},
            {"name": "total", "kind": "amount", "expense": ["TOTAL"], "required": True},
        ],
    },
    "card": {
        "operation": "AnalyzeID",
        "features": ["FORMS"],
        "fields": [
            {"name": "number", "kind": "identifier", "identity": ["DOCUMENT_NUMBER"], "labels": ["document number"]},
            {"name": "born", "kind": "date", "identity": ["DATE_OF_BIRTH"], "labels": ["date of birth"]},
        ],
    },
    "loan": {
        "operation": "StartLendingAnalysis",
        "fields": [{"name": "net", "kind": "amount", "lending": ["PAYSLIPS/CURRENT_NET_PAY"], "required": True}],
    },
}


def add_types() -> None:
    """Store them."""
    with scope.everything():
        for name, definition in TYPES.items():
            document_types.add_version({"name": name, "label": name.capitalize(), **definition})


@dataclass(frozen=True, slots=True)
class Life:
    """One way, and the calls to the outside that it takes from arrival to rest."""

    name: str
    calls: tuple[str, ...]
    pages: tuple[Page, ...] = (stub.CLEAR,)
    synchronous: bool = False
    part_size: int = 1000
    document_type: str = "receipt"

    @property
    def sends(self) -> str:
        """The synchronous operation, where it is one."""
        return "AnalyzeExpense" if self.document_type == "till" else stub.SYNC

    def __str__(self) -> str:
        return self.name

    def set_up(self, engine: Engine, settings: Any) -> None:
        """Documents that arrive from now on go this way."""
        if self.document_type in TYPES:
            add_types()
        settings.SYNCHRONOUS = self.synchronous
        engine.part_size = self.part_size
        engine.reads(*self.pages)

    def content(self) -> bytes:
        """A new document's file."""
        return make.image() if len(self.pages) == 1 else make.pdf(len(self.pages))


AT_ONCE = Life("at-once", ("_save", stub.SYNC, "_save", "_save"), synchronous=True)
JOB = Life("job", ("_save", stub.START, stub.GET, "_save", "_save"))
PARTS = Life(
    "parts",
    ("_save", stub.START, *(stub.GET, "_save") * 3, *("_open",) * 3, "_save"),
    pages=(stub.CLEAR, Page.of("Thank you")),
    part_size=8,
)
EXPENSE_AT_ONCE = Life(
    "expense-at-once", ("_save", "AnalyzeExpense", "_save", "_save"), synchronous=True, document_type="till"
)
EXPENSE_PARTS = Life(
    "expense-parts",
    ("_save", "StartExpenseAnalysis", *("GetExpenseAnalysis", "_save") * 2, *("_open",) * 2, "_save"),
    pages=(stub.CLEAR, Page.of("Note: paid")),
    part_size=1,
    document_type="till",
)
LIVES = (AT_ONCE, JOB, PARTS, EXPENSE_AT_ONCE, EXPENSE_PARTS)
