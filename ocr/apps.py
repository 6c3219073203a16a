from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OcrConfig(AppConfig):
    name = "ocr"
    verbose_name = _("Documents")

    def ready(self) -> None:
        post_migrate.connect(_ship_document_types, sender=self, dispatch_uid="ocr.document_types")
        post_migrate.connect(_ship_prices, sender=self, dispatch_uid="ocr.prices")


def _ship_document_types(*args: Any, **kwargs: Any) -> None:
    from django.db import connection

    from ocr import document_types
    from ocr.models import DocumentType

    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, DocumentType._meta.db_table)
    if "made_by" in {column.name for column in columns}:  # not when migrated back to before it
        document_types.ship()


def _ship_prices(*args: Any, **kwargs: Any) -> None:
    from django.db import connection

    from ocr import prices
    from ocr.models import PriceTable

    if PriceTable._meta.db_table in connection.introspection.table_names():  # not when migrated back to before it
        prices.ship()
