from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OcrConfig(AppConfig):
    name = "ocr"

    def ready(self) -> None:
        post_migrate.connect(_ship_document_types, sender=self, dispatch_uid="ocr.document_types")


def _ship_document_types(*args: Any, **kwargs: Any) -> None:
    from ocr import document_types

    document_types.ship()
