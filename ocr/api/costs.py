"""The REST door to money: what reading would cost, and what it did."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ocr import costs
from ocr.api.serializers import ProblemJsonSerializer
from tenants import access
from tenants.models import Tenant

PROBLEM = ProblemJsonSerializer
MOST_PAGES, MOST_DOCUMENTS = 3_000, 1_000_000  # Source: Textract quota, pages of an asynchronous document


# --- Shapes -------------------------------------------------------------------------------------------------------


class _Strict(serializers.Serializer[object]):
    """Query parameters; one that means nothing is refused rather than ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if unknown := set(data) - set(self.fields):
            raise serializers.ValidationError({name: ["There is no such parameter."] for name in sorted(unknown)})
        return super().to_internal_value(data)


class EstimateQuery(_Strict):
    document_type = serializers.SlugField(required=False, help_text="Without it the type is found from the content.")
    pages = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_PAGES, default=1, help_text="Of each document."
    )
    documents = serializers.IntegerField(required=False, min_value=1, max_value=MOST_DOCUMENTS, default=1)


class EstimateSerializer(serializers.Serializer[object]):
    document_type = serializers.CharField(allow_null=True)
    features = serializers.ListField(child=serializers.CharField())
    pages = serializers.IntegerField(help_text="Of all documents.")
    micro_dollars = serializers.IntegerField()
    usd = serializers.CharField()
    usd_per_page = serializers.CharField()
    price_version = serializers.CharField()


class CostsQuery(_Strict):
    month = serializers.CharField(required=False, help_text="YYYY-MM, in UTC; without it the present one.")
    tenant = serializers.SlugField(required=False, help_text="One of the caller's tenants; without it all of them.")

    def validate_month(self, text: str) -> date:
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text, re.ASCII):
                return date.fromisoformat(f"{text}-01")
        except ValueError:
            pass
        raise serializers.ValidationError("Write the month as YYYY-MM, for example 2026-11.")


class UnitSerializer(serializers.Serializer[object]):
    region = serializers.CharField()
    unit = serializers.CharField(help_text="What of the price table applied, for example FORMS+TABLES.")
    pages = serializers.IntegerField()
    reused_pages = serializers.IntegerField()
    micro_dollars = serializers.IntegerField()
    uncertain_micro_dollars = serializers.IntegerField()


class BudgetSerializer(serializers.Serializer[object]):
    tenant = serializers.SlugField()
    cap_usd = serializers.CharField()
    used_usd = serializers.CharField()
    in_flight_usd = serializers.CharField(help_text="Estimated, of what is being read.")
    left_usd = serializers.CharField()
    documents_wait = serializers.BooleanField()


class CostsSerializer(serializers.Serializer[object]):
    month = serializers.CharField()
    pages = serializers.IntegerField(help_text="Billed.")
    reused_pages = serializers.IntegerField(help_text="Read before, and not billed again.")
    micro_dollars = serializers.IntegerField()
    usd = serializers.CharField()
    uncertain_usd = serializers.CharField(help_text="Of lost answers: may have been billed besides.")
    units = UnitSerializer(many=True)
    budgets = BudgetSerializer(many=True, help_text="Tenants with a cap, as they stand in the present month.")


# --- Doors --------------------------------------------------------------------------------------------------------


class Estimate(APIView):
    @extend_schema(
        operation_id="estimateCost", parameters=[EstimateQuery], responses={200: EstimateSerializer, 400: PROBLEM}
    )
    def get(self, request: Request) -> Response:
        """What reading would cost by the prices of now. A file that was read before costs nothing."""
        form = EstimateQuery(data=request.query_params)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        name = given.get("document_type", "")
        try:
            found = costs.estimate(name, pages=given["pages"], documents=given["documents"])
        except LookupError as unknown:
            raise serializers.ValidationError({"document_type": str(unknown)}) from None
        return Response(
            {
                "document_type": name or None,
                "features": list(found.features),
                "pages": found.pages,
                "micro_dollars": found.micro_dollars,
                "usd": costs.usd(found.micro_dollars),
                "usd_per_page": costs.usd(found.unit_micro_dollars),
                "price_version": found.price_version,
            }
        )


class Costs(APIView):
    @extend_schema(
        operation_id="getCosts",
        parameters=[CostsQuery],
        responses={200: CostsSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """What the caller's tenants spent in one calendar month (UTC), and where their budgets stand."""
        form = CostsQuery(data=request.query_params)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        with access.scope_of(request.user):
            tenant = _tenant(request.user, given["tenant"]) if "tenant" in given else None
            found = costs.month(request.user, given.get("month"), tenant_id=tenant.pk if tenant else None)
            budgets = costs.budgets(request.user)
        return Response(
            {
                "month": f"{found.month:%Y-%m}",
                "pages": found.pages,
                "reused_pages": found.reused_pages,
                "micro_dollars": found.micro_dollars,
                "usd": costs.usd(found.micro_dollars),
                "uncertain_usd": costs.usd(found.uncertain_micro_dollars),
                "units": found.units,
                "budgets": [_told(whose, stands) for whose, stands in budgets if tenant in {None, whose}],
            }
        )


def _tenant(user: Any, slug: str) -> Tenant:
    """The caller's tenant of that name; raises Tenant.DoesNotExist for any other."""
    mine = Tenant.objects.all()
    if not access.is_platform_admin(user):
        mine = mine.filter(pk__in=access.roles_of(user))
    return mine.get(slug=slug)


def _told(tenant: Tenant, standing: costs.Standing) -> dict[str, Any]:
    return {
        "tenant": tenant.slug,
        "cap_usd": costs.usd(standing.cap),
        "used_usd": costs.usd(standing.spent),
        "in_flight_usd": costs.usd(standing.in_flight),
        "left_usd": costs.usd(standing.left),
        "documents_wait": standing.documents_wait,
    }
