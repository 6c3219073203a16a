"""The shapes that callers send, and those that the OpenAPI page shows."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from rest_framework import serializers

from ocr.api import parsing
from ocr.extraction import Kind
from ocr.models import Priority, Status

PRIORITIES = [name.lower() for name in Priority.names]


@cache
def of_kind(form_class: type[serializers.Serializer[object]]) -> serializers.Serializer[object]:
    """The one form of this kind, whose run_validation serves every request: it keeps nothing of them, and making its fields costs
    more than asking them."""
    return form_class()


class MetadataField(serializers.JSONField):
    """A JSON object of the sender's own."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            value = super().to_internal_value(data)
        except RecursionError:
            raise serializers.ValidationError(parsing.TOO_DEEP) from None
        if not isinstance(value, dict):
            raise serializers.ValidationError("The metadata is a JSON object.")
        if fault := parsing.unstorable(value):
            raise serializers.ValidationError(fault)
        return value


class UploadSerializer(serializers.Serializer[object]):
    """multipart/form-data of POST /api/v1/documents/."""

    file = serializers.FileField(allow_empty_file=True)
    document_type = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False, default="normal")
    external_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    metadata = MetadataField(required=False, default=dict)
    tenant = serializers.SlugField(required=False, help_text="Needed when the caller belongs to several tenants.")

    def to_internal_value(self, data: Any) -> dict[str, object]:
        if "callback_url" in data:
            raise serializers.ValidationError(
                {"callback_url": "Webhooks are not available in this version; leave it out."}
            )
        told: dict[str, object] = super().to_internal_value(data)
        return told


class PatienceSerializer(serializers.Serializer[object]):
    """How long POST /ocr may take to answer."""

    wait_seconds = serializers.FloatField(
        required=False, min_value=0, max_value=60, default=30, help_text="Answer after so many seconds at the latest."
    )


class RecogniseSerializer(UploadSerializer, PatienceSerializer):
    """multipart/form-data of POST /ocr. Somebody waits, so it is urgent unless they say otherwise."""

    priority = serializers.ChoiceField(choices=PRIORITIES, required=False, default="high")


class ListSerializer(serializers.Serializer[object]):
    """Query parameters of GET /api/v1/documents/; anything else is refused rather than ignored."""

    status = serializers.ChoiceField(choices=Status.values, required=False)
    document_type = serializers.SlugField(required=False)
    priority = serializers.ChoiceField(choices=PRIORITIES, required=False)
    received_after = serializers.DateTimeField(required=False)
    external_id = serializers.CharField(required=False, max_length=200)
    cursor = serializers.CharField(required=False)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=200, default=50)

    def to_internal_value(self, data: object) -> dict[str, object]:
        unknown = set(data) - set(self.fields)  # type: ignore[call-overload]
        if unknown:
            raise serializers.ValidationError({name: ["There is no such filter."] for name in sorted(unknown)})
        known: dict[str, object] = super().to_internal_value(data)
        return known


class ProblemSerializer(serializers.Serializer[object]):
    code = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    message = serializers.CharField()
    rule = serializers.CharField(allow_null=True)


class WitnessSerializer(serializers.Serializer[object]):
    """What another engine read in the same piece of the page."""

    text = serializers.CharField()
    agrees = serializers.BooleanField(allow_null=True, help_text="Null where it could read nothing.")


class FieldSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.ChoiceField(choices=get_args(Kind))
    value = serializers.CharField(allow_null=True)
    text = serializers.CharField()
    confidence = serializers.FloatField(allow_null=True, help_text="Percent 0-100.")
    word_confidence = serializers.FloatField(allow_null=True)
    page = serializers.IntegerField(allow_null=True)
    box = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="[left, top, width, height], 0-1."
    )
    source = serializers.ChoiceField(choices=["textract", "local", "text_layer", "rule", "person"])  # type: ignore[assignment]
    state = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    threshold = serializers.FloatField()
    problems = ProblemSerializer(many=True)
    witness = WitnessSerializer(allow_null=True, help_text="Null where no second witness was asked.")


class LineItemSerializer(serializers.Serializer[object]):
    row = serializers.IntegerField()
    cells = FieldSerializer(many=True)


class AcceptedSerializer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.values)
    links = serializers.DictField(child=serializers.CharField())
    duplicate_of = serializers.UUIDField(required=False)


class SummarySerializer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    external_id = serializers.CharField()
    filename = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.values)
    document_type = serializers.CharField(allow_null=True)
    priority = serializers.ChoiceField(choices=PRIORITIES)
    pages = serializers.IntegerField()
    received_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    duplicate_of = serializers.UUIDField(allow_null=True)
    split_of = serializers.UUIDField(allow_null=True, help_text="The document that these pages were cut out of.")
    links = serializers.DictField(child=serializers.CharField())


class PageOfSummariesSerializer(serializers.Serializer[object]):
    results = SummarySerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class DetailSerializer(SummarySerializer):
    fields_ = FieldSerializer(many=True)
    line_items = LineItemSerializer(many=True)
    problems = ProblemSerializer(many=True)
    metadata = serializers.DictField()
    engine = serializers.DictField(allow_null=True)
    review = serializers.DictField()
    cost = serializers.DictField()
    attempts = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True, help_text="The error in a sentence that says what to do.")

    def get_fields(self) -> dict[str, serializers.Field[object, object, object, object]]:
        """`fields` is taken by the class itself, so the member is declared under another name."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class JobErrorSerializer(serializers.Serializer[object]):
    code = serializers.CharField()
    detail = serializers.CharField()


class JobSerializer(serializers.Serializer[object]):
    job_id = serializers.UUIDField(help_text="The document's id.")
    status = serializers.ChoiceField(choices=["queued", "processing", "needs_review", "completed", "failed"])
    status_url = serializers.CharField()
    result = DetailSerializer(required=False)
    error = JobErrorSerializer(required=False)


class QueueSerializer(serializers.Serializer[object]):
    queued = serializers.IntegerField()
    processing = serializers.IntegerField()
    oldest_seconds = serializers.FloatField(allow_null=True)
    average_seconds = serializers.FloatField(allow_null=True)
    p95_seconds = serializers.FloatField(allow_null=True)
    per_minute = serializers.FloatField()
    by_priority = serializers.DictField(child=serializers.IntegerField())


class AuditEventSerializer(serializers.Serializer[object]):
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    step = serializers.CharField()
    codes = serializers.DictField()
    hash = serializers.CharField()
    previous_hash = serializers.CharField()


class ProblemJsonSerializer(serializers.Serializer[object]):
    """application/problem+json."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]
