"""The REST door for programs that send a document and want its result: waiting for it, or as a job to ask about."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ocr import contract, metrics, serving, waiting
from ocr.api import serializers
from ocr.api.views import KEY, PROBLEM, give_back_connection, receive
from ocr.models import Document
from tenants import access

REFUSED = {400: PROBLEM, 403: PROBLEM, 422: PROBLEM, 429: PROBLEM, 503: PROBLEM, 507: PROBLEM}


class Recognise(APIView):
    """Send a document and wait for what it says."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="recogniseDocument",
        parameters=[KEY, OpenApiParameter("wait_seconds", float, description="The same as the form's field.")],
        request={"multipart/form-data": serializers.RecogniseSerializer},
        responses={200: serializers.DetailSerializer, 202: serializers.JobSerializer, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        """200 with the document as soon as no machine has anything to do for it: approved, waiting for a person, or failed. 202 with a
        job when that takes longer than `wait_seconds`; the document is read all the same."""
        begun = time.monotonic()
        with waiting.room.seat() as seat:
            give_back_connection()
            ends = begun + _patience(request)
            document = receive(request, serializers.RecogniseSerializer).document
            told = seat.result(document, within=max(0.0, ends - time.monotonic()))
        return Response(told) if told else _accepted(request, document)


class Jobs(APIView):
    """Send a document and come back for its result."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="recogniseLater",
        parameters=[KEY],
        request={"multipart/form-data": serializers.UploadSerializer},
        responses={202: serializers.JobSerializer, **REFUSED},
    )
    def post(self, request: Request) -> Response:
        return _accepted(request, receive(request, serializers.UploadSerializer).document)


class Job(APIView):
    @extend_schema(operation_id="getJob", responses={200: serializers.JobSerializer, 404: PROBLEM})
    def get(self, request: Request, job_id: str) -> Response:
        """`result` comes with `needs_review` (before a person looked) and `completed`, `error` with `failed`."""
        with access.scope_of(request.user):
            return Response(contract.job(serving.document_for(request.user, UUID(job_id))))


class Queue(APIView):
    @extend_schema(operation_id="getQueue", responses={200: serializers.QueueSerializer})
    def get(self, request: Request) -> Response:
        """How much work there is in the caller's tenants, and how long it takes."""
        with access.scope_of(request.user):
            return Response(asdict(metrics.queue(request.user)))


def _accepted(request: Request, document: Document) -> Response:
    with access.scope_of(request.user):
        told = contract.job(serving.document_for(request.user, document.pk))
    found = {name: told[name] for name in ("job_id", "status", "status_url")}
    return Response(found, status=202, headers={"Location": told["status_url"]})


def without_closing_slash(endpoints: list[tuple[Any, ...]], **kwargs: Any) -> list[tuple[Any, ...]]:
    """For the OpenAPI document: /ocr and its kin are taken with a slash at their end too, and named without."""
    return [
        (path.rstrip("/"), path_regex, method, callback)
        if path.startswith("/ocr")
        else (path, path_regex, method, callback)
        for path, path_regex, method, callback in endpoints
    ]


def _patience(request: Request) -> float:
    """How long the caller wants to wait, in seconds, from the form or from the address."""
    told = request.query_params if "wait_seconds" in request.query_params else request.data
    seconds: float = serializers.of_kind(serializers.PatienceSerializer).run_validation(told)["wait_seconds"]
    return seconds
