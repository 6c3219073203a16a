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
from review import reasons
from review.models import Aside, Assignment, Check, Comment, Escalation, LaneAnswer, OwnReason
from tenants import access
from tenants.admin import OfTheTenant

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    ReasonBase = admin.ModelAdmin[OwnReason]
else:
    Base = ReasonBase = admin.ModelAdmin


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


@admin.register(Assignment)
class Assignments(OfADocument):
    list_display = ("person", "of_document", "tenant", "assigned_by", "assigned_at")
    list_select_related = ("person", "tenant")


@admin.register(Check)
class Checks(OfADocument):
    list_display = ("reviewer", "of_document", "version", "number", "tenant", "checked_at", "settled_at")
    list_select_related = ("tenant",)


@admin.register(Comment)
class Comments(OfADocument):
    list_display = ("author", "of_document", "field", "asked", "tenant", "written_at", "answered_at", "erased_at")
    list_select_related = ("author", "asked", "tenant")


@admin.register(LaneAnswer)
class LaneAnswers(OfADocument):
    list_display = ("answered_by", "of_document", "version", "field", "act", "tenant", "answered_at")
    list_select_related = ("tenant",)


@admin.register(OwnReason)
class OwnReasons(OfTheTenant, ReasonBase):
    """A tenant's own reasons are added and removed, never edited: decisions go on naming their codes."""

    list_display = ("label", "code", "position", "tenant")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("tenant",)
    fields = ("tenant", "label", "code", "position")
    prepopulated_fields = {"code": ("label",)}
    show_full_result_count = False
    ordering = ("tenant__name", "position", "id")

    def get_prepopulated_fields(self, request: HttpRequest, obj: OwnReason | None = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def save_model(self, request: HttpRequest, obj: OwnReason, form: Any, change: bool) -> None:  # noqa: FBT001
        reasons.add(obj, actor=access.actor_of(request.user))

    def delete_model(self, request: HttpRequest, obj: OwnReason) -> None:
        reasons.remove(obj, actor=access.actor_of(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for reason in queryset.order_by("tenant_id", "pk"):
            self.delete_model(request, reason)
