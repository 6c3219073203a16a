"""What people did, in the admin: to read for those who audit or administer the tenant, without the values and words that they wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from audit.admin import TenantFilter
from ocr.admin import CountedSoFar, ForReading
from review.models import Aside, Escalation

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


class OfADocument(ForReading, Base):
    """Rows about a document: which one, who, when; nothing of what they said about its fields."""

    list_filter = (TenantFilter,)
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CountedSoFar
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    actions = None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.list_display

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.list_display

    @admin.display(description=gettext_lazy("document"))
    def of_document(self, row: Any) -> SafeString:
        return format_html(
            '<a href="{}">{}…</a>', reverse("document", args=[row.document_id]), str(row.document_id)[:8]
        )


@admin.register(Aside)
class Asides(OfADocument):
    list_display = ("holder", "of_document", "tenant", "until", "times")
    list_select_related = ("holder", "tenant")


@admin.register(Escalation)
class Escalations(OfADocument):
    list_display = ("escalated_by", "of_document", "tenant", "escalated_at")
    list_select_related = ("tenant",)
