"""The REST door to documents: parse, call one function, answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import close_old_connections, connection
from django.db.models import Q
from django.http import FileResponse, HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import trail
from ocr import artifacts, backlog, contract, disk, intake, listing, serving
from ocr.api import serializers
from ocr.api.parsing import AnyForm
from ocr.api.problems import problem
from ocr.models import Document, Priority, Source
from tenants import access
from tenants.models import Tenant

PROBLEM = serializers.ProblemJsonSerializer
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key is answered the same, once."
)


class Newest(CursorPagination):
    ordering = ("-received_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The caller's cursor; one that was not made here is told apart before the database sees it."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor and cursor.position is not None:
                datetime.fromisoformat(str(cursor.position))
        except (NotFound, ValueError):
            raise ValidationError(
                {"cursor": "This is no cursor of ours. Follow the links of an earlier answer."}
            ) from None
        return cursor


class _NewestDocuments(Newest):
    def __init__(self, *, tenants: Sequence[UUID], any_of: Sequence[Q]) -> None:
        """What is listed belongs to one of the tenants and fits one of the lookups."""
        self.tenants, self.any_of = tenants, any_of

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """The page; what cannot be on it is left out beforehand, so that the database need not look at it."""
        cursor = self.decode_cursor(request) or Cursor(offset=0, reverse=False, position=None)
        order = ("received_at", "id") if cursor.reverse else self.ordering
        beyond = {f"received_at__{'gt' if cursor.reverse else 'lt'}": cursor.position} if cursor.position else {}
        count = cursor.offset + (self.get_page_size(request) or 0) + 1
        nearest = listing.heads(queryset.filter(**beyond), self.tenants, order=order, count=count, any_of=self.any_of)
        return super().paginate_queryset(nearest, request, view)


def receive(request: Request, form_class: type[serializers.UploadSerializer]) -> intake.Receipt:
    """The multipart upload of this request, accepted. Raises what the sender has to change, and what is our trouble."""
    give_back_connection()
    disk.check(disk.length(request))
    given: dict[str, Any] = serializers.of_kind(form_class).run_validation(request.data)
    tenant_id = serving.tenant_for_upload(request.user, given.get("tenant", ""))
    backlog.check(tenant_id)
    with serving.content_of(given["file"]) as content:
        return intake.receive(
            intake.Upload(
                content=content,
                filename=given["file"].name or "",
                document_type=given["document_type"],
                priority=given["priority"],
                external_id=given["external_id"],
                metadata=given["metadata"],
                source=Source.API,
                idempotency_key=request.headers.get("Idempotency-Key"),
            ),
            tenant_id=tenant_id,
            actor=access.actor_of(request.user),
        )


def give_back_connection() -> None:
    """Before a body is read, which a slow sender can draw out: nobody's slowness holds a connection to the database."""
    if not connection.in_atomic_block:  # as in most tests
        close_old_connections()


class Documents(APIView):
    """Upload and list."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="uploadDocument",
        parameters=[KEY],
        request={"multipart/form-data": serializers.UploadSerializer},
        responses={
            202: serializers.AcceptedSerializer,
            400: PROBLEM,
            403: PROBLEM,
            422: PROBLEM,
            429: PROBLEM,
            503: PROBLEM,
            507: PROBLEM,
        },
    )
    def post(self, request: Request) -> Response:
        told = contract.accepted(receive(request, serializers.UploadSerializer).document)
        return Response(told, status=202, headers={"Location": told["links"]["self"]})

    @extend_schema(
        operation_id="listDocuments",
        parameters=[serializers.ListSerializer],
        responses={200: serializers.PageOfSummariesSerializer, 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        form = serializers.ListSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        with access.scope_of(request.user):
            found = listing.lean(Document.objects.visible_to(request.user).filter(**_filters(form.validated_data)))
            given = form.validated_data
            any_of = listing.of_type(given["document_type"]) if "document_type" in given else [Q()]
            pages = _NewestDocuments(tenants=listing.tenants_of(request.user), any_of=any_of)
            rows = pages.paginate_queryset(found, request, view=self)
            return Response(
                {
                    "results": [contract.summary(row) for row in listing.typed(rows or [])],
                    "next": pages.get_next_link(),
                    "previous": pages.get_previous_link(),
                }
            )


def _filters(given: dict[str, Any]) -> dict[str, Any]:
    """Lookups from the allow-list only; nothing a caller writes becomes a lookup."""
    lookups: dict[str, Any] = {}
    for name in ("status", "external_id"):
        if name in given:
            lookups[name] = given[name]
    if "priority" in given:
        lookups["priority"] = Priority[given["priority"].upper()]
    if "received_after" in given:
        lookups["received_at__gt"] = given["received_after"]
    return lookups


class OneDocument(APIView):
    @extend_schema(operation_id="getDocument", responses={200: serializers.DetailSerializer, 404: PROBLEM})
    def get(self, request: Request, document_id: UUID) -> Response:
        with access.scope_of(request.user):
            document = serving.document_for(request.user, document_id)
            return Response(contract.detail(document), headers={"ETag": f'"{document.version}"'})


class Timeline(APIView):
    @extend_schema(
        operation_id="getDocumentAudit", responses={200: serializers.AuditEventSerializer(many=True), 404: PROBLEM}
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        with access.scope_of(request.user):
            document = serving.document_for(request.user, document_id)
            return Response([_shown(trail.as_dict(event)) for event in trail.timeline(document.pk)])


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    names = ("seq", "kind", "at", "actor", "step", "codes", "version", "hash", "previous_hash")
    return {name: event[name] for name in names}


class Result(APIView):
    @extend_schema(operation_id="getDocumentResult", responses={200: serializers.DetailSerializer, 404: PROBLEM})
    def get(self, request: Request, document_id: UUID) -> HttpResponseBase:
        artifact = serving.result(request.user, document_id)
        if artifact is None:
            return problem(404, "not_ready", "There is no result yet. Look at the document's status.")
        return HttpResponse(artifacts.read(artifact), content_type="application/json")


class Raw(APIView):
    @extend_schema(
        operation_id="getDocumentRaw",
        parameters=[OpenApiParameter("part", int, description="Which of the answer's pages, from 1.")],
        responses={(200, "application/json"): dict[str, Any], 404: PROBLEM},
        description="The engine's answer byte for byte. A long answer has several parts; the header X-Parts says how many.",
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponseBase:
        parts = serving.raw_parts(request.user, document_id)
        wanted = {str(part.part): part for part in parts}.get(request.query_params.get("part", "1"))
        if wanted is None:
            return problem(404, "not_ready", f"There is no such part; the stored answer has {len(parts)} parts.")
        body = artifacts.read(wanted)
        return HttpResponse(body, content_type="application/json", headers={"X-Parts": str(len(parts))})


class Original(APIView):
    content_negotiation_class = AnyForm

    @extend_schema(
        operation_id="getDocumentOriginal", responses={(200, "application/octet-stream"): bytes, 404: PROBLEM}
    )
    def get(self, request: Request, document_id: UUID) -> FileResponse:
        return serving.original(request.user, document_id)


class PageImage(APIView):
    content_negotiation_class = AnyForm

    @extend_schema(
        operation_id="getPageImage",
        parameters=[OpenApiParameter("size", str, enum=["full", "thumb"])],
        responses={(200, "image/jpeg"): bytes, 404: PROBLEM},
    )
    def get(self, request: Request, document_id: UUID, number: int) -> HttpResponseBase:
        return serving.page_image(
            request, request.user, document_id, number, thumbnail=request.query_params.get("size") == "thumb"
        )


class Tenants(APIView):
    @extend_schema(operation_id="listTenants", responses={200: dict[str, Any]})
    def get(self, request: Request) -> Response:
        """The tenants of the caller."""
        with access.scope_of(request.user):
            found = Tenant.objects.filter(pk__in=access.roles_of(request.user)).values("slug", "name")
            return Response({"results": list(found)})
