"""Money in the admin: budgets that tenant admins set, the ledger to read, and prices that platform admins give a new version."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import yaml
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.admin import TenantFilter
from ocr import costs, prices, quota
from ocr.document_types import written
from ocr.models import Budget, Charge, DocumentType, MonthlyCost, PriceTable, Quota
from tenants import access
from tenants.admin import OfTheTenant, PlatformOnly
from tenants.models import Tenant

if TYPE_CHECKING:
    BudgetBase = admin.ModelAdmin[Budget]
    TypeBase = admin.ModelAdmin[DocumentType]
    ChargeBase = admin.ModelAdmin[Charge]
    MonthBase = admin.ModelAdmin[MonthlyCost]
    PriceBase = admin.ModelAdmin[PriceTable]
    QuotaBase = admin.ModelAdmin[Quota]
    Pages = Paginator[Any]
else:
    BudgetBase = TypeBase = ChargeBase = MonthBase = PriceBase = QuotaBase = admin.ModelAdmin
    Pages = Paginator

COUNTED = 10_000  # rows; whoever needs more pages than these filters


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]
    cap = forms.DecimalField(
        label=gettext_lazy("Dollars a month"),
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
        help_text=gettext_lazy("Once it is used up, new documents wait; reviewing goes on. Empty: no limit."),
    )

    class Meta:
        model = Budget
        fields = ("tenant",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cap = self.instance.cap_micro_dollars
        if cap is not None:
            self.fields["cap"].initial = Decimal(cap) / costs.MICRO

    def clean_tenant(self) -> Tenant:
        tenant: Tenant = self.cleaned_data["tenant"]
        if Budget.objects.filter(tenant=tenant).exists():
            raise forms.ValidationError(_("This tenant has a budget already. Open it and change it."))
        return tenant

    @property
    def cap_micro_dollars(self) -> int | None:
        cap = self.cleaned_data["cap"]
        return None if cap is None else int(cap * costs.MICRO)


@admin.register(Budget)
class Budgets(OfTheTenant, BudgetBase):
    """What each tenant may spend in a month. A higher cap sets going what waits for it."""

    removable = False
    form = BudgetForm
    list_display = ("tenant", "cap", "used", "in_flight", "waiting")
    list_select_related = ("tenant",)
    show_full_result_count = False
    ordering = ("tenant__name",)
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        return ("tenant", "cap")

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        return ("tenant",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:  # noqa: FBT001
        woken = costs.set_cap(obj.tenant, form.cap_micro_dollars, actor=access.actor_of(request.user))
        obj.pk = Budget.objects.get(tenant=obj.tenant).pk
        if woken:
            text = ngettext("%(n)d waiting document goes on now.", "%(n)d waiting documents go on now.", woken)
            messages.success(request, text % {"n": woken})

    @admin.display(description=gettext_lazy("a month"))
    def cap(self, budget: Budget) -> str:
        return _("no limit") if budget.cap_micro_dollars is None else costs.shown(budget.cap_micro_dollars)

    @admin.display(description=gettext_lazy("used this month"))
    def used(self, budget: Budget) -> str:
        standing = self._standing(budget)
        return f"{costs.shown(standing.spent)} ({standing.share:.0%})" if standing else "–"

    @admin.display(description=gettext_lazy("being read"))
    def in_flight(self, budget: Budget) -> str:
        standing = self._standing(budget)
        return costs.shown(standing.in_flight) if standing else "–"

    @admin.display(description=gettext_lazy("new documents"))
    def waiting(self, budget: Budget) -> str:
        standing = self._standing(budget)
        return _("wait") if standing and standing.documents_wait else _("are read")

    def _standing(self, budget: Budget) -> costs.Standing | None:
        if budget.cap_micro_dollars is None:
            return None
        known = getattr(budget, "_standing", None) or costs.standings([budget.tenant_id])[budget.tenant_id]
        vars(budget)["_standing"] = known
        return known


class MonthFilter(admin.SimpleListFilter):
    """One month (UTC): this one unless another is chosen, so that no list begins with all there ever was."""

    title = gettext_lazy("month (UTC)")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = MonthlyCost.objects.order_by("-month").values_list("month", flat=True).distinct()[:36]
        return [*((f"{first:%Y-%m}", f"{first:%Y-%m}") for first in known), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        own = changelist.get_query_string(remove=[self.parameter_name])
        yield {"selected": self.value() is None, "query_string": own, "display": _("This month")}
        yield from list(super().choices(changelist))[1:]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        first = costs.this_month() if self.value() is None else _first_day(str(self.value()))
        if queryset.model is MonthlyCost:
            return queryset.filter(month=first)
        begin = datetime.combine(first, datetime.min.time(), UTC)
        end = (begin + timedelta(days=32)).replace(day=1)
        return queryset.filter(at__gte=begin, at__lt=end)


def _first_day(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise IncorrectLookupParameters from error


class CountedSoFar(Pages):
    """Counts so many rows and no more: a whole ledger takes longer than anybody waits."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[:COUNTED])


class ForReading:
    """Rows of the ledger: read by those who audit or administer the tenant, changed by nobody."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # a mix-in of ModelAdmin
        if access.is_platform_admin(request.user):
            return rows
        return rows.filter(tenant_id__in=access.tenants_with(request.user, "audit"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.can(request.user, "audit")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.can(request.user, "audit", obj.tenant_id if obj else None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Charge)
class Charges(ForReading, ChargeBase):
    """The ledger, line by line."""

    list_display = ("moment", "tenant", "document", "kind", "unit", "pages", "amount", "price_version", "region")
    list_display_links = ("moment",)
    list_filter = (MonthFilter, TenantFilter, "kind")
    list_select_related = ("tenant",)
    search_fields = ("document_id",)  # shows the box; get_search_results says what is searched
    search_help_text = gettext_lazy("A document's id")
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = CountedSoFar
    list_per_page = 50
    ordering = ("-at", "-id")
    sortable_by = ()
    actions = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Charge], search_term: str
    ) -> tuple[QuerySet[Charge], bool]:
        try:
            return queryset.filter(document_id=UUID(search_term.strip())), False
        except ValueError:
            return queryset.none() if search_term.strip() else queryset, False

    @admin.display(description=gettext_lazy("when (UTC)"))
    def moment(self, line: Charge) -> str:
        return f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("document"))
    def document(self, line: Charge) -> SafeString:
        url = reverse("document", args=[line.document_id])
        return format_html('<a href="{}">{}…</a>', url, str(line.document_id)[:8])

    @admin.display(description=gettext_lazy("cost"))
    def amount(self, line: Charge) -> str:
        return costs.shown(line.micro_dollars)


@admin.register(MonthlyCost)
class MonthlyCosts(ForReading, MonthBase):
    """The ledger's sums by month."""

    list_display = ("in_month", "tenant", "region", "unit", "pages", "reused_pages", "cost", "uncertain")
    list_filter = (MonthFilter, TenantFilter)
    list_select_related = ("tenant",)
    show_full_result_count = False
    list_per_page = 100
    ordering = ("-month", "tenant__name", "region", "unit")
    sortable_by = ()
    actions = None

    @admin.display(description=gettext_lazy("month (UTC)"))
    def in_month(self, row: MonthlyCost) -> str:
        return f"{row.month:%Y-%m}"

    @admin.display(description=gettext_lazy("cost"))
    def cost(self, row: MonthlyCost) -> str:
        return costs.shown(row.micro_dollars)

    @admin.display(description=gettext_lazy("uncertain"))
    def uncertain(self, row: MonthlyCost) -> str:
        return costs.shown(row.uncertain_micro_dollars) if row.uncertain_micro_dollars else "–"


class PricesForm(forms.ModelForm):  # type: ignore[type-arg]
    text = forms.CharField(
        label=gettext_lazy("Prices"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 40, "cols": 100, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "YAML, in micro-dollars a page. It becomes the next version of its group; earlier ones stay."
        ),
    )

    class Meta:
        model = PriceTable
        fields = ()

    def clean_text(self) -> Any:
        try:
            definition = yaml.safe_load(self.cleaned_data["text"])
            prices.check(definition)
        except (yaml.YAMLError, RecursionError):
            raise forms.ValidationError(_("This is not YAML. Check the indentation and the brackets.")) from None
        except prices.InvalidPrices as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return definition


@admin.register(PriceTable)
class PriceTables(PlatformOnly, PriceBase):
    """Prices are given a new version, never edited: each charge names the version it was reckoned by."""

    form = PricesForm
    list_display = ("group", "version", "made_by", "created_at")
    list_display_links = ("group", "version")
    list_filter = ("group",)
    ordering = ("group", "-version")
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: PriceTable | None = None) -> Any:
        return ("text",) if obj is None else ("group", "version", "made_by", "created_at", "prices")

    def get_readonly_fields(self, request: HttpRequest, obj: PriceTable | None = None) -> Any:
        return ("group", "version", "made_by", "created_at", "prices") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The newest prices of the group named, or of the region that we use: people change a figure, not a page."""
        rows = PriceTable.objects.filter(Q(group=request.GET.get("group", "")) | Q(group=costs.group_in_use()))
        newest = sorted(rows, key=lambda row: (row.group == request.GET.get("group"), row.version))[-1:]
        return {"text": _as_yaml(newest[0]) if newest else ""}

    def save_model(self, request: HttpRequest, obj: PriceTable, form: Any, change: bool) -> None:  # noqa: FBT001
        made = costs.change_prices(form.cleaned_data["text"], actor=access.actor_of(request.user))
        obj.pk, obj.group, obj.version = made.pk, made.group, made.version

    @admin.display(description=gettext_lazy("prices"))
    def prices(self, row: PriceTable) -> SafeString:
        return format_html("<pre>{}</pre>", _as_yaml(row))


def _as_yaml(row: PriceTable) -> str:
    """In the order of the shipped files; the database keeps none."""
    told = dict(row.definition)
    told["analysis"] = [{"features": each["features"], "tiers": each["tiers"]} for each in told["analysis"]]
    in_order = {name: told[name] for name in prices.MEMBERS}
    return yaml.safe_dump(in_order, sort_keys=False, default_flow_style=None, width=110)


@admin.register(DocumentType)
class DocumentTypes(PlatformOnly, TypeBase):
    """The history of document types, to read. They are edited in a page of their own, with a preview."""

    list_display = ("name", "version", "label", "made_by", "created_at", "edit")
    list_display_links = ("name", "version")
    list_filter = ("name",)
    fields = ("name", "version", "label", "made_by", "created_at", "edit", "text")
    readonly_fields = fields
    ordering = ("name", "-version")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("edit"))
    def edit(self, row: DocumentType) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("a-document-type", args=[row.name]), _("Edit with a preview"))

    @admin.display(description=gettext_lazy("definition"))
    def text(self, row: DocumentType) -> SafeString:
        return format_html("<pre>{}</pre>", written.as_yaml(row))


class QuotaForm(forms.ModelForm):  # type: ignore[type-arg]
    granted = forms.FloatField(
        label=gettext_lazy("Calls a second that AWS grants"),
        min_value=0.01,
        max_value=100_000,
        help_text=gettext_lazy("As AWS Service Quotas shows it for this account and region."),
    )
    share = forms.FloatField(
        label=gettext_lazy("Share that is used"),
        min_value=0.01,
        max_value=1,
        help_text=gettext_lazy("0.99 leaves 1 %."),
    )
    reserved = forms.FloatField(
        label=gettext_lazy("Share kept for urgent documents"),
        min_value=0,
        max_value=0.9,
        help_text=gettext_lazy("0 to 0.9"),
    )
    jobs_granted = forms.IntegerField(
        label=gettext_lazy("Concurrent jobs that AWS grants"),
        min_value=0,
        max_value=100_000,
        help_text=gettext_lazy("For operations that start jobs; 0 for the others."),
    )

    class Meta:
        model = Quota
        fields = ("granted", "share", "reserved", "jobs_granted")


@admin.register(Quota)
class Quotas(PlatformOnly, QuotaBase):
    """What AWS grants, and where the shared buckets stand: platform admins set the former, the readers the latter."""

    form = QuotaForm
    list_display = ("operation", "region", "granted", "rate_now", "throttles", "throttled_at", "stopped_code")
    list_filter = ("region",)
    readonly_fields = ("operation", "region", "rate_now", "throttles", "throttled_at", "stopped_code")
    fields = ("operation", "region", "granted", "share", "reserved", "jobs_granted", *readonly_fields[2:])
    ordering = ("region", "operation")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:  # noqa: FBT001
        quota.set_granted(obj, actor=access.actor_of(request.user), **form.cleaned_data)

    @admin.display(description=gettext_lazy("calls a second now"), ordering="rate")
    def rate_now(self, row: Quota) -> str:
        return f"{row.rate:.1f}"
