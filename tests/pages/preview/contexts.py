"""Invented contexts in the shape that the views build, to render every page without a database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

ID = str(UUID(int=7))
ME = {
    "name": "Mira Okafor",
    "initials": "MO",
    "tenants": ["Kestrel Clinics"],
    "can": dict.fromkeys(["upload", "review", "supervise", "audit", "admin", "administer"], True),
}
PAGER = {"first": 1, "last": 1, "total": 1, "next_url": "?page=2", "previous_url": "?page=1"}


class Filters(forms.Form):
    document_type = forms.ChoiceField(choices=[("", "Any type")], required=False)
    q = forms.CharField(required=False)


class SignIn(forms.Form):
    username = forms.CharField()
    password = forms.CharField(widget=forms.PasswordInput)


def row(**changes: Any) -> dict[str, Any]:
    found = {
        "id": ID, "url": f"/documents/{ID}/", "filename": "march.pdf", "tenant": "Kestrel Clinics", "type_label": "Invoice",
        "priority": "high", "status": "needs_review", "status_label": "Needs review", "received": "5 min ago",
        "received_iso": "2026-03-11T10:41:00+00:00", "pages": 2, "thumbnail_url": "/thumb", "duplicate_of": f"/documents/{ID}/",
        "reasons": [{"tone": "bad", "text": "1 fails a check"}], "waiting": "5 min", "waiting_share": 0.7, "late": True,
        "holder": {"name": "Jonas Teller", "initials": "JT", "mine": False},
    }  # fmt: skip
    return found | changes


def field(name: str, value: str | None, **changes: Any) -> dict[str, Any]:
    found = {
        "name": name, "label": name.title(), "group": "Amounts", "kind": "amount", "value": value, "text": value or "",
        "confidence": 91.0, "word_confidence": 61.0, "page": 1, "box": [0.1, 0.1, 0.2, 0.02], "word_ids": [], "source": "textract",
        "state": "certain", "required": True, "threshold": 90.0, "problems": [], "suggestions": [],
    }  # fmt: skip
    return found | changes


def fields() -> list[dict[str, Any]]:
    problem = {
        "code": "low_confidence",
        "field": "total",
        "message": "Read with 61% confidence.",
        "rule": "word_confidence",
    }
    missing = {"code": "missing", "field": "tax", "message": "Tax was not found.", "rule": "required"}
    return [
        field("total", "12.00", state="open", problems=[problem]),
        field("tax", None, state="open", problems=[missing], page=None, box=None),
        field("subtotal", "10.00"),
    ]


LINE_ITEMS = {
    "columns": [{"name": "amount", "label": "Amount", "kind": "amount"}],
    "rows": [{"row": 1, "cells": {"amount": field("amount", "10.00")}}],
}


def review(*, read_only: bool) -> dict[str, Any]:
    urls = {
        name: f"/review/{ID}/{name}/"
        for name in ("heartbeat", "draft", "decision", "release", "next", "queue", "document")
    }
    data = {
        "document": {
            "id": ID, "filename": "march.pdf", "tenant": "Kestrel Clinics", "document_type": "invoice", "type_label": "Invoice",
            "received_at": "2026-03-11T10:41:00Z", "page_count": 1, "version": 3, "status": "needs_review", "priority": "normal",
        },
        "claim": None if read_only else {"token": ID, "expires_at": "2026-03-11T10:43:00Z", "mine": True},
        "holder": None, "read_only": read_only, "read_only_reason": "Jonas is working on this document." if read_only else "",
        "pages": [{"number": 1, "width": 1240, "height": 1754, "image_url": "/image", "words_url": "/words", "words": []}],
        "fields": fields(), "line_items": LINE_ITEMS, "problems": [], "draft": None,
        "progress": {"done_today": 1, "waiting": 2}, "reject_reasons": [{"code": "other", "label": "Something else"}], "urls": urls,
    }  # fmt: skip
    return {"document": {"filename": "march.pdf"}, "data": data}


def document(**changes: Any) -> dict[str, Any]:
    event = {
        "seq": 1, "kind": "FAILED", "label": "Failed", "at": "11 Mar 2026", "at_iso": "2026-03-11T10:41:00+00:00", "actor": "system",
        "step": "read", "codes": ["pages: 2"], "hash_short": "9f3a1c2b",
    }  # fmt: skip
    facts = row(
        finished="", external_id="ERP-1", version=2, attempts=1, error="The engine gave up.", cost={"pages": 2, "usd": "0.065000"},
        engine={"operation": "AnalyzeDocument", "features": ["FORMS"], "model_version": "1", "job_id": None},
        pages=[{"number": 1, "image_url": "/image", "thumbnail_url": "/thumb"}], **changes,
    )  # fmt: skip
    return {
        "document": facts, "fields": fields(), "line_items": LINE_ITEMS, "timeline": [event], "chain_ok": False, "has_result": True,
        "has_raw": True, "actions": {"review_url": "/review", "reopen": True, "retry": True, "replay": True},
    }  # fmt: skip


NOTICES = [{"tenant": "Kestrel Clinics", "text": "Budget of this month used: $8.20 of $10.00."}]


def costs(*, empty: bool = False) -> dict[str, Any]:
    budget = {"tenant": "Kestrel Clinics", "used_usd": "8.20", "cap_usd": "10.00", "share": 0.82, "tone": "warn"}
    unit = {"label": "Forms + tables", "pages": 120, "usd": "7.80", "share": 0.95}
    return {
        "month": "March 2026", "usd": "0.00" if empty else "8.20", "uncertain_usd": "" if empty else "0.05",
        "pages": 0 if empty else 146, "reused_pages": 0 if empty else 12, "units": [] if empty else [unit],
        "budgets": [] if empty else [budget],
    }  # fmt: skip


def dashboard(*, empty: bool = False) -> dict[str, Any]:
    hours = [] if empty else ["9:00", "10:00", "11:00"]
    return {
        "kpis": [{"label": "Documents", "value": "18", "unit": "", "note": "12 finished", "tone": "plain"}],
        "per_minute": {"points": [{"label": hour, "straight": 4, "reviewed": 2} for hour in hours]},
        "time_to_result": {"points": [{"label": hour, "p95": 4.5, "average": 2.0} for hour in hours], "target": None},
        "waiting_series": [{"label": hour, "value": 3} for hour in hours],
        "reasons": [] if empty else [{"tone": "warn", "label": "Below the threshold", "share": 1.0}],
        "costs": costs(empty=empty),
        "budget_notices": [] if empty else NOTICES,
        "period": {"name": "today", "links": [{"label": "24 hours", "url": "?", "current": True}]},
        "updated": "Thursday",
    }


def queue(*, tab: str = "waiting", rows: int = 1, active: bool = False) -> dict[str, Any]:
    return {
        "waiting": rows, "oldest": "5 min", "tab": tab, "rows": [row()] * rows, "page": PAGER,
        "tabs": [{"name": "waiting", "label": "For me", "count": rows, "url": "?tab=waiting"}],
        "filters": {"form": Filters(), "active": active},
    }  # fmt: skip


def upload_choices() -> dict[str, Any]:
    tenants = [{"slug": "kestrel", "name": "Kestrel Clinics"}, {"slug": "harrow", "name": "Harrow Mutual"}]
    types = [{"name": "invoice", "label": "Invoice", "page_usd": "0.065"}]
    return {"document_types": types, "untyped_page_usd": "0.065", "upload_tenants": tenants, "budget_notices": NOTICES}


def document_type(**changes: Any) -> dict[str, Any]:
    changed = [{"field": "total", "before": "1.00", "after": None}]
    told = {
        "name": "a.pdf",
        "url": "/d",
        "changes": changed,
        "new_problems": ["x"],
        "gone_problems": ["y"],
        "lost": False,
    }
    found = {
        "row": {"name": "invoice", "label": "Invoice", "version": 3}, "label": "Invoice", "yaml": "name: invoice\n",
        "based_on": 3, "refusal": "",
        "line": 0, "previewed": [told, told | {"lost": True}], "may_save": True, "action": "/document-types/invoice/",
        "versions": [{"version": 3, "made_by": "admin", "saved": "5 min ago"}],
    }  # fmt: skip
    return found | changes


PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "sign in": ("login.html", {"form": SignIn(), "next": "/queue/", "me": None}),
    "sign in refused": ("login.html", {"form": SignIn({"username": ""}), "me": None}),
    "queue": ("review/queue.html", queue()),
    "queue done": ("review/queue.html", queue(tab="done")),
    "queue empty": ("review/queue.html", queue(rows=0)),
    "queue filtered away": ("review/queue.html", queue(rows=0, active=True)),
    "nothing held": ("review/queue.html", queue(tab="mine", rows=0)),
    "review": ("review/review.html", review(read_only=False)),
    "review read-only": ("review/review.html", review(read_only=True)),
    "documents": ("ocr/documents.html", {"form": Filters(), "rows": [row()], "page": PAGER} | upload_choices()),
    "documents empty": ("ocr/documents.html", {"form": Filters(), "rows": [], "page": PAGER} | upload_choices()),
    "documents filtered away": ("ocr/documents.html", {"form": Filters({"q": "x"}), "rows": [], "page": PAGER}),
    "upload": ("ocr/upload.html", upload_choices()),
    "document": ("ocr/document.html", document()),
    "document that waits for money": ("ocr/document.html", document(over_cap=True)),
    "document read before": ("ocr/document.html", document(read_before=f"/documents/{ID}/")),
    "document types": (
        "ocr/document_types.html",
        {
            "rows": [
                {
                    "row": {"name": "a", "label": "A", "version": 1},
                    "label": "A",
                    "url": "/a",
                    "fields": 2,
                    "columns": 1,
                    "used": "10,000+",
                }
            ],
            "may_save": True,
        },
    ),
    "document type": ("ocr/document_type.html", document_type()),
    "document type refused": ("ocr/document_type.html", document_type(refusal="Line 2: no.", line=2, previewed=None)),
    "new document type": ("ocr/document_type.html", document_type(row=None, versions=[], may_save=False)),
    "dashboard": ("dashboard.html", dashboard()),
    "dashboard empty": ("dashboard.html", dashboard(empty=True)),
    **{code: (f"{code}.html", {}) for code in ("400", "403", "404", "429", "500", "403_csrf")},
}
