"""The audit trail in the admin: search, follow one chain, verify, export. Nothing here changes an event."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import export, trail
from audit.models import AuditEvent, Kind
from tenants import access
from tenants.models import Tenant

if TYPE_CHECKING:
    Base = admin.ModelAdmin[AuditEvent]
else:
    Base = admin.ModelAdmin

VERIFIED_IN_A_PAGE = 200_000  # events; more take longer than a request may


class TypedFilter(admin.ListFilter):
    """A filter whose value is typed rather than chosen: a form with one input per name in `inputs`."""

    template = "admin/audit/typed_filter.html"
    inputs: tuple[tuple[str, Any, str], ...] = ()  # (parameter, label, type of the input)

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name, _label, _type in self.inputs:
            given = params.pop(name, [""])[-1].strip()
            if given:
                self.used_parameters[name] = given

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [name for name, _label, _type in self.inputs]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        own = self.expected_parameters()
        yield {
            "inputs": [(name, label, kind, self.used_parameters.get(name, "")) for name, label, kind in self.inputs],
            "others": [(name, value) for name, value in changelist.params.items() if name not in own],
            "clear": changelist.get_query_string(remove=[str(name) for name in own]),
            "used": bool(self.used_parameters),
        }


class DayFilter(TypedFilter):
    title = gettext_lazy("day (UTC)")
    inputs = (("from_day", gettext_lazy("From"), "date"), ("to_day", gettext_lazy("To"), "date"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        first, last = (self._day(name) for name in ("from_day", "to_day"))
        if first:
            queryset = queryset.filter(at__gte=first)
        return queryset.filter(at__lt=last + timedelta(days=1)) if last else queryset

    def _day(self, name: str) -> datetime | None:
        """Midnight at which the day begins."""
        given = self.used_parameters.get(name)
        if not given:
            return None
        try:
            return datetime.combine(date.fromisoformat(str(given)), datetime.min.time(), UTC)
        except ValueError as error:
            raise IncorrectLookupParameters from error


class ActorFilter(TypedFilter):
    title = gettext_lazy("actor")
    inputs = (("by", gettext_lazy("Name, or user:name, key:prefix, system"), "text"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        given = self.used_parameters.get("by")
        if not given:
            return queryset
        return queryset.filter(actor__in=[given, f"user:{given}", f"key:{given}"])


class TenantFilter(admin.SimpleListFilter):
    title = gettext_lazy("tenant")
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tenants = Tenant.objects.all()
        if not access.is_platform_admin(request.user):
            tenants = tenants.filter(pk__in=access.tenants_with(request.user, "audit"))
        return [(str(key), name) for key, name in tenants.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in {key for key, _name in self.lookup_choices}:
            raise IncorrectLookupParameters
        return queryset.filter(tenant_id=chosen)


@admin.register(AuditEvent)
class AuditEvents(Base):
    """Read-only, for platform admins and for the auditors and tenant admins of the events' tenant."""

    list_display = ("moment", "what", "chain_link", "tenant_name", "actor", "step", "readable_codes")
    list_display_links = ("moment",)
    list_filter = (DayFilter, ActorFilter, TenantFilter, "kind")
    search_fields = ("document_id", "actor")  # shows the box; get_search_results says what is searched
    search_help_text = gettext_lazy("A document's id, who acted, what happened, a tenant's name or a request id")
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each count is a query over the whole trail
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    fieldsets = (
        (None, {"fields": ("moment", "what", "actor", "step", "readable_codes")}),
        (gettext_lazy("Where"), {"fields": ("tenant_name", "document_id", "version", "request_id")}),
        (gettext_lazy("In the chain"), {"fields": ("chain_link", "seq", "previous_hash", "hash")}),
    )

    # --- Who sees what ----------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        events = super().get_queryset(request)
        if not access.is_platform_admin(request.user):
            events = events.filter(tenant_id__in=access.tenants_with(request.user, "audit"))
        return events.annotate(tenant=Subquery(Tenant.objects.filter(pk=OuterRef("tenant_id")).values("name")[:1]))

    def has_view_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return access.can(request.user, "audit", obj.tenant_id if obj else None)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.can(request.user, "audit")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            raise Http404  # Django's own words are that it may have been deleted, which nothing here ever is
        return super().change_view(request, object_id, form_url, {"title": _("Audit event"), **(extra_context or {})})

    # --- The list ---------------------------------------------------------------------------------------------------
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        chain = request.GET.get("chain", "")
        title = _("Chain %(chain)s") % {"chain": chain} if chain else _("Audit trail")
        context = {"filters": request.GET.urlencode(), "chain": chain, "title": title}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        for word in search_term.split():
            queryset = queryset.filter(_about(word))
        return queryset, False

    @admin.display(description=gettext_lazy("when (UTC)"))
    def moment(self, event: AuditEvent) -> str:
        return f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("what"))
    def what(self, event: AuditEvent) -> SafeString:
        return format_html('{} <span class="code">{}</span>', event.get_kind_display(), event.kind)

    @admin.display(description=gettext_lazy("chain"))
    def chain_link(self, event: AuditEvent) -> SafeString:
        shown = f"{event.document_id[:8]}…" if event.document_id else _("tenant")
        return format_html(
            '<a href="{}?chain={}" title="{}">{} · {}</a>',
            reverse("admin:audit_auditevent_changelist"),
            event.chain,
            event.chain,
            shown,
            event.seq,
        )

    @admin.display(description=gettext_lazy("tenant"))
    def tenant_name(self, event: AuditEvent) -> str:
        return getattr(event, "tenant", None) or "—"

    @admin.display(description=gettext_lazy("details"))
    def readable_codes(self, event: AuditEvent) -> SafeString:
        return format_html_join(
            "",
            '<span class="detail"><b>{}</b> {}</span> ',
            ((name, _readable(value)) for name, value in event.codes.items()),
        )

    # --- Its own pages ----------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        own = [
            path("verify/", self.admin_site.admin_view(self.verify_view), name="audit_auditevent_verify"),
            path("export/", self.admin_site.admin_view(self.export_view), name="audit_auditevent_export"),
        ]
        return own + super().get_urls()

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Follows all chains that the user may see, or `?chain=`, and says what was found."""
        self._check(request)
        asked = request.GET.get("chain", "").strip()
        chain = f"document:{asked}" if _is_uuid(asked) else asked
        events = self.get_queryset(request).filter(**({"chain": chain} if chain else {})).count()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Verify the audit trail"),
            "opts": self.opts,
            "chain": chain,
            "asked": asked,
            "too_many": events > VERIFIED_IN_A_PAGE,
            "most": VERIFIED_IN_A_PAGE,
        }
        if not context["too_many"]:
            context |= _examined(request, chain)
        return TemplateResponse(request, "admin/audit/auditevent/verify.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The events that the list shows under the same filters, as a file; the export itself becomes an event."""
        self._check(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        format_ = export.FORMATS.get(request.POST.get("format", ""))
        if format_ is None:
            return HttpResponseBadRequest(_("Choose CSV or JSON Lines."))
        back = HttpResponseRedirect(f"{reverse('admin:audit_auditevent_changelist')}?{request.GET.urlencode()}")
        try:
            events = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return back
        until = _record_export(request, events)
        if not until:
            self.message_user(request, _("There is nothing to export under these filters."), messages.WARNING)
            return back
        user = request.user
        pieces = export.lines(format_, events, until=until, scoped=lambda: access.scope_of(user))
        return _attachment(pieces, format_, request.POST["format"])

    def _check(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _about(word: str) -> Q:
    """The events that one searched word means."""
    if _is_uuid(word):
        return Q(document_id=str(UUID(word))) | Q(tenant_id=UUID(word)) | Q(request_id=word)
    kinds = [kind for kind in Kind if word.lower() in kind.label.lower() or word.lower() in kind.lower()]
    tenants = Tenant.objects.filter(name__icontains=word).values("pk")
    return Q(actor__icontains=word) | Q(request_id=word) | Q(kind__in=kinds) | Q(tenant_id__in=tenants) | Q(chain=word)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_readable(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_readable, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "—" if value is None else str(value)


def _examined(request: HttpRequest, chain: str) -> dict[str, Any]:
    everywhere = access.is_platform_admin(request.user)
    started = time.monotonic()
    found = trail.examine(
        [chain] if chain else None, tenant_ids=None if everywhere else access.tenants_with(request.user, "audit")
    )
    return {"found": found, "seconds": f"{time.monotonic() - started:.2f}"}


def _record_export(request: HttpRequest, events: QuerySet[AuditEvent]) -> int:
    """Write the export into the chain of each tenant whose events it holds; the last id it will hold, 0 for none."""
    counted = events.order_by().values("tenant_id").annotate(count=Count("pk"), last=Max("pk")).order_by("tenant_id")
    found = list(counted.values_list("tenant_id", "count", "last"))
    for tenant_id, count, _last in found:
        trail.record(
            Kind.EXPORTED,
            tenant_id=tenant_id,
            actor=access.actor_of(request.user),
            step="audit_export",
            codes={"format": request.POST["format"], "count": count},
        )
    return max((last for _tenant, _count, last in found), default=0)


def _attachment(pieces: Iterator[str], format_: export.Format, ending: str) -> StreamingHttpResponse:
    name = f"audit-{datetime.now(UTC):%Y%m%d-%H%M%S}.{ending}"
    return StreamingHttpResponse(
        pieces,
        content_type=format_.content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
