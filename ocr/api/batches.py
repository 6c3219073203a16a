"""The REST door to batches: a manifest in, progress and per-row results out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import exceptions, serializers
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ocr import artifacts, batches, idempotency, manifests, serving
from ocr.api.parsing import AnyForm, Json
from ocr.api.problems import problem
from ocr.api.serializers import PRIORITIES, ProblemJsonSerializer
from ocr.api.views import KEY, Newest, give_back_connection
from ocr.models import Batch, BatchItem
from tenants import access

PROBLEM = ProblemJsonSerializer
MANIFEST_BYTES = 256 * 1024 * 1024
CHUNK = 1024 * 1024


# --- Shapes -------------------------------------------------------------------------------------------------------


class _Strict(serializers.Serializer[object]):
    """A misspelt parameter is refused rather than ignored."""

    def to_internal_value(self, data: Any) -> dict[str, object]:
        unknown = set(data) - set(self.fields)
        if unknown:
            raise serializers.ValidationError({name: ["There is no such parameter."] for name in sorted(unknown)})
        known: dict[str, object] = super().to_internal_value(data)
        return known


class WishesSerializer(_Strict):
    max_concurrency = serializers.IntegerField(required=False, min_value=1, max_value=batches.MOST_CONCURRENCY)
    tolerated_failure_percentage = serializers.FloatField(required=False, min_value=0, max_value=100)


class SubmissionSerializer(WishesSerializer):
    """Query parameters, or fields of the form, beside a manifest."""

    priority = serializers.ChoiceField(choices=PRIORITIES, required=False, help_text="Of rows that name none: low.")
    name = serializers.CharField(required=False, max_length=255, help_text="What people see; the file's name.")
    tenant = serializers.SlugField(required=False, help_text="Needed when the caller belongs to several tenants.")


class ManifestFormSerializer(SubmissionSerializer):
    """multipart/form-data of POST /api/v1/batches/."""

    manifest = serializers.FileField(allow_empty_file=True)


class BatchFiltersSerializer(_Strict):
    status = serializers.ChoiceField(choices=Batch.Status.values, required=False)
    cursor = serializers.CharField(required=False)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=200, default=50)


class ItemFiltersSerializer(_Strict):
    state = serializers.ChoiceField(choices=BatchItem.State.values, required=False)
    cursor = serializers.IntegerField(required=False, min_value=0, default=0)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=1000, default=100)


class ManifestRowSerializer(serializers.Serializer[object]):
    """One row: bucket and key (with a version where the bucket keeps some), or document_id of an earlier upload."""

    bucket = serializers.CharField(required=False)
    key = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    document_id = serializers.UUIDField(required=False)
    external_id = serializers.CharField(required=False, max_length=200)
    document_type = serializers.CharField(required=False)
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False)
    metadata = serializers.DictField(required=False)


class ManifestSerializer(serializers.Serializer[object]):
    items = ManifestRowSerializer(many=True)
    max_concurrency = serializers.IntegerField(required=False)
    tolerated_failure_percentage = serializers.FloatField(required=False)
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False)


class BatchCountsSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    feeding = serializers.IntegerField()
    submitted = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class BatchSummarySerializer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Batch.Status.choices)
    status_text = serializers.CharField()
    priority = serializers.ChoiceField(choices=PRIORITIES)
    max_concurrency = serializers.IntegerField()
    tolerated_failure_percentage = serializers.FloatField()
    counts = BatchCountsSerializer()
    percent = serializers.FloatField(help_text="Of the rows, how many are settled; 100 means all.")
    submitted_by = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    links = serializers.DictField(child=serializers.CharField())


class BatchSerializer(BatchSummarySerializer):
    documents_per_minute = serializers.FloatField(allow_null=True, help_text="Measured over the last five minutes.")
    estimated_end_at = serializers.DateTimeField(allow_null=True)


class PageOfBatchesSerializer(serializers.Serializer[object]):
    results = BatchSummarySerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class RowErrorSerializer(serializers.Serializer[object]):
    code = serializers.CharField()
    message = serializers.CharField()


class BatchRowSerializer(serializers.Serializer[object]):
    row = serializers.IntegerField(help_text="Counts from 1 in the order of the manifest.")
    state = serializers.ChoiceField(choices=BatchItem.State.choices)
    external_id = serializers.CharField()
    document_id = serializers.UUIDField(allow_null=True)
    document_status = serializers.CharField(allow_null=True, help_text="Where the document stands now.")
    document_type = serializers.CharField(allow_null=True)
    pages = serializers.IntegerField(allow_null=True)
    bucket = serializers.CharField(allow_null=True)
    key = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    source_document_id = serializers.UUIDField(allow_null=True)
    error = RowErrorSerializer(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    link = serializers.CharField(allow_null=True)


class PageOfRowsSerializer(serializers.Serializer[object]):
    results = BatchRowSerializer(many=True)
    next = serializers.URLField(allow_null=True)


# --- Bodies -------------------------------------------------------------------------------------------------------


class _Body:
    """A request's body on our disk; whoever gets it deletes it."""

    def __init__(self, stream: IO[bytes], format_: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="manifest-")
        self.path, self.format, left = Path(name), format_, MANIFEST_BYTES
        try:
            with os.fdopen(descriptor, "wb") as file:
                while chunk := stream.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise RequestDataTooBig
                    file.write(chunk)
        except BaseException:
            self.path.unlink()
            raise


class _ToDisk(BaseParser):
    """The body as a file: it may be larger than what memory should hold."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return _Body(stream, manifests.FORMATS[self.media_type])


class JsonManifest(_ToDisk):
    media_type = "application/json"


class JsonLinesManifest(_ToDisk):
    media_type = "application/x-ndjson"


class CsvManifest(_ToDisk):
    media_type = "text/csv"


@contextmanager
def _submitted(request: Request) -> Iterator[tuple[batches.Manifest, dict[str, Any]]]:
    """The manifest of this request, and what was said beside it."""
    data: Any = request.data
    if isinstance(data, _Body):
        try:
            given = _valid(SubmissionSerializer, request.query_params)
            yield batches.Manifest(data.path, data.format, given.get("name", "")), given
        finally:
            data.path.unlink(missing_ok=True)
        return
    if not hasattr(data, "getlist"):
        raise exceptions.ParseError("The request has no body. Send a manifest, with its Content-Length")
    given = _valid(ManifestFormSerializer, {**request.query_params.dict(), **data.dict()})
    file = given["manifest"]
    with serving.file_of(file) as path:
        name = given.get("name") or file.name or ""
        yield batches.Manifest(path, _format(file), name), given


def _format(file: Any) -> str:
    # The name first: browsers know the types of these endings in many ways, or in none.
    found = manifests.format_of(file.name or "") or manifests.format_of(content_type=file.content_type or "")
    if not found:
        sentence = "The manifest's name ends in .json, .jsonl or .csv, which says how it is to be read."
        raise batches.Refused([manifests.Fault(1, sentence)])
    return found


def _valid(form_class: type[_Strict], data: Any) -> dict[str, Any]:
    form = form_class(data=data)
    form.is_valid(raise_exception=True)
    given: dict[str, Any] = form.validated_data
    return given


def _wishes(given: Mapping[str, Any]) -> batches.Wishes:
    return batches.Wishes(
        max_concurrency=given.get("max_concurrency"),
        tolerated_failure_percentage=given.get("tolerated_failure_percentage"),
        priority=given.get("priority"),
    )


# --- Doors --------------------------------------------------------------------------------------------------------


class _Door(APIView):
    def handle_exception(self, exc: Exception) -> Response:
        """A refused manifest is told line by line."""
        if isinstance(exc, batches.Refused):
            errors = [{"line": fault.line, "message": fault.sentence} for fault in exc.faults]
            return problem(422, exc.code, str(exc), errors=errors)
        return super().handle_exception(exc)


class Batches(_Door):
    """Submit and list."""

    parser_classes = [JsonManifest, JsonLinesManifest, CsvManifest, MultiPartParser]

    @extend_schema(
        operation_id="submitBatch",
        parameters=[KEY, SubmissionSerializer],
        request={
            "application/json": ManifestSerializer,
            "application/x-ndjson": ManifestRowSerializer,
            "text/csv": str,
            "multipart/form-data": ManifestFormSerializer,
        },
        responses={202: BatchSerializer, 400: PROBLEM, 403: PROBLEM, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """Accept a manifest: the whole of it, or, where a row is wrong, nothing, with the line and a sentence for each fault."""
        access.check(request.user, "upload")  # before a large body is read
        give_back_connection()
        with _submitted(request) as (manifest, given):
            tenant_id = serving.tenant_for_upload(request.user, given.get("tenant", ""))
            wishes = _wishes(given)
            sha256, _size = artifacts.fingerprint(manifest.path)
            wanted = idempotency.Request.of(
                request.headers.get("Idempotency-Key"), "batches", sha256, manifest.format, manifest.name, repr(wishes)
            )

            def act() -> tuple[int, dict[str, Any]]:
                actor = access.actor_of(request.user)
                return 202, batches.progress(batches.accept(manifest, wishes, tenant_id=tenant_id, actor=actor))

            status, told = idempotency.once(tenant_id, wanted, act, document_id=None)
        return Response(told, status=status, headers={"Location": told["links"]["self"]})

    @extend_schema(
        operation_id="listBatches",
        parameters=[BatchFiltersSerializer],
        responses={200: PageOfBatchesSerializer, 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        given = _valid(BatchFiltersSerializer, request.query_params)
        with access.scope_of(request.user):
            found = Batch.objects.visible_to(request.user)
            if "status" in given:
                found = found.filter(status=given["status"])
            pages = _NewestBatches()
            page: list[Batch] = pages.paginate_queryset(found, request, view=self) or []
            counted = batches.counts(page)
            return Response(
                {
                    "results": [batches.summary(batch, counted[batch.pk]) for batch in page],
                    "next": pages.get_next_link(),
                    "previous": pages.get_previous_link(),
                }
            )


class _NewestBatches(Newest):
    ordering = ("-created_at", "-id")


class OneBatch(_Door):
    @extend_schema(operation_id="getBatch", responses={200: BatchSerializer, 404: PROBLEM})
    def get(self, request: Request, batch_id: UUID) -> Response:
        """How far it is, how fast, and when it will be done."""
        with access.scope_of(request.user):
            return Response(batches.progress(serving.batch_for(request.user, batch_id)))


class Items(_Door):
    @extend_schema(
        operation_id="listBatchItems",
        parameters=[ItemFiltersSerializer],
        responses={200: PageOfRowsSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """The rows in the manifest's order."""
        given = _valid(ItemFiltersSerializer, request.query_params)
        size = given["page_size"]
        with access.scope_of(request.user):
            batch = serving.batch_for(request.user, batch_id)
            page = batches.rows(batch, after=given["cursor"], limit=size + 1, state=given.get("state", ""))
        more = len(page) > size
        return Response({"results": page[:size], "next": _next_url(request, page[size - 1]["row"]) if more else None})


def _next_url(request: Request, row: int) -> str:
    query = request.query_params.copy()
    query["cursor"] = str(row)
    return request.build_absolute_uri(f"?{query.urlencode()}")


class Results(_Door):
    content_negotiation_class = AnyForm

    @extend_schema(
        operation_id="getBatchResults",
        parameters=[OpenApiParameter("format", str, enum=sorted(batches.RESULTS), description="jsonl unless said.")],
        responses={(200, "application/x-ndjson"): BatchRowSerializer, (200, "text/csv"): str, 404: PROBLEM},
    )
    def get(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """Every row as a file, streamed: JSON Lines, or CSV for a spreadsheet."""
        format_ = request.query_params.get("format", "jsonl")
        if format_ not in batches.RESULTS:
            return problem(400, "invalid", f"The format is one of: {', '.join(sorted(batches.RESULTS))}.")
        with access.scope_of(request.user):
            batch = serving.batch_for(request.user, batch_id)
        return download(batch, format_)


def download(batch: Batch, format_: str) -> StreamingHttpResponse:
    """The batch's rows as an attachment."""
    response = StreamingHttpResponse(batches.results(batch, format_), content_type=batches.RESULTS[format_])
    response["Content-Disposition"] = f'attachment; filename="batch-{batch.pk}.{format_}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


class _Act(_Door):
    """One of pause, resume, cancel: done once per Idempotency-Key, answered with how the batch then stands."""

    parser_classes = [Json, FormParser, MultiPartParser]
    act: Callable[..., Batch]

    def post(self, request: Request, batch_id: UUID) -> Response:
        with access.scope_of(request.user):
            batch = serving.batch_for(request.user, batch_id)
        access.check(request.user, "upload", batch.tenant_id)
        given = self.given(request)
        name = type(self).__name__.lower()
        wanted = idempotency.Request.of(
            request.headers.get("Idempotency-Key"), f"batch-{name}", str(batch_id), repr(given)
        )

        def act() -> tuple[int, dict[str, Any]]:
            done = type(self).act(batch, *given, actor=access.actor_of(request.user))
            return 200, batches.progress(done)

        status, told = idempotency.once(batch.tenant_id, wanted, act, document_id=None)
        return Response(told, status=status)

    def given(self, request: Request) -> tuple[Any, ...]:
        return ()


def _act(name: str, body: type[serializers.Serializer[object]] | None = None) -> Any:
    answers = {200: BatchSerializer, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
    told = extend_schema(operation_id=f"{name}Batch", parameters=[KEY], request=body, responses=answers)
    return extend_schema_view(post=told)


@_act("pause")
class Pause(_Act):
    """Make no more documents for now; what is being read is finished."""

    act = staticmethod(batches.pause)


@_act("resume", WishesSerializer)
class Resume(_Act):
    """Go on with a paused or stopped batch; a stopped one needs a higher tolerated_failure_percentage."""

    act = staticmethod(batches.resume)

    def given(self, request: Request) -> tuple[Any, ...]:
        return (_wishes(_valid(WishesSerializer, request.data or {})),)


@_act("cancel")
class Cancel(_Act):
    """Make no more documents; those that there are stay."""

    act = staticmethod(batches.cancel)
