"""Contradictions and unsafe production values stop the start, with a sentence that says what to change.

They run in every management command, in the web process (wsgi.py) and, for the database role, on each new connection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from ocr import sources

TOPIC = re.compile(r"arn:[a-z-]+:sns:([a-z0-9-]+):\d{12}:[a-zA-Z0-9_.-]+")
Apps = Sequence[AppConfig] | None
_bound: WeakSet[Any] = WeakSet()  # connections whose role is one that row-level security binds


@checks.register(checks.Tags.security)
def hosts(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    """`*` lets a forged Host header into links; DEBUG shows settings and source to whoever can reach the server."""
    found: list[checks.CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(_error("E001", "DTAT_ALLOWED_HOSTS contains *.", "List the host names that people use."))
    if settings.DEBUG and (settings.PRODUCTION or not all(map(_is_private, settings.ALLOWED_HOSTS))):
        found.append(_error("E002", "DTAT_DEBUG is on where others can reach it.", "Set DTAT_DEBUG=0."))
    if settings.PRODUCTION and not settings.ALLOWED_HOSTS:
        found.append(_error("E003", "DTAT_ALLOWED_HOSTS is empty.", "List the host names that people use."))
    return found


@checks.register(checks.Tags.security)
def secrets(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    """A token signed with the key that also signs sessions cannot be rotated alone."""
    if settings.SECRET_KEY == settings.JWT_KEY:
        return [_error("E004", "DTAT_SECRET_KEY and DTAT_JWT_KEY are the same.", "Give each its own random value.")]
    return []


@checks.register(checks.Tags.security)
def public_address(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.PRODUCTION:
        return []
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https" or not parts.hostname:
        return [_error("E005", "DTAT_PUBLIC_URL is not an https address.", "Set it to https://your.host.")]
    return []


@checks.register("dtat")
def queue(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    """Source: measured behaviour of django-q2 1.11 (docs/decisions/0003): the wrong values run tasks twice or for ever."""
    q: dict[str, Any] = settings.Q_CLUSTER
    found: list[checks.CheckMessage] = []
    if q["retry"] < 2.5 * q["timeout"]:
        found.append(
            _error(
                "E010",
                "The queue hands a task out again before it can have ended.",
                "Set DTAT_QUEUE_RETRY_SECONDS to at least 2.5 times DTAT_TASK_SECONDS.",
            )
        )
    if q["queue_limit"] != 1 or q["bulk"] != 1:
        found.append(_error("E011", "Workers prefetch tasks.", "Keep queue_limit and bulk at 1."))
    if not q["ack_failures"] or q["max_attempts"] != 1:
        found.append(_error("E012", "The queue repeats failing tasks.", "Keep ack_failures on and max_attempts at 1."))
    if settings.LEASE_SECONDS <= settings.TEXTRACT_READ_SECONDS and settings.PRODUCTION:
        found.append(
            _error(
                "E013",
                "A lease ends while its worker may still wait for Textract.",
                "Set DTAT_LEASE_SECONDS above DTAT_TEXTRACT_READ_SECONDS.",
            )
        )
    if settings.BROKER == "redis" and not settings.REDIS_URL:
        found.append(_error("E014", "DTAT_BROKER is redis but no server is named.", "Set DTAT_REDIS_URL."))
    return found


@checks.register("dtat")
def storage(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    if settings.STORAGE == "s3" and settings.BUCKET == "local":
        return [_error("E020", "DTAT_STORAGE is s3 but DTAT_BUCKET is not set.", "Name the bucket for documents.")]
    return []


@checks.register("dtat")
def completions(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    """A topic that nobody hears makes every job wait for the slow sweep; a queue that nobody fills is waited at for nothing."""
    topic, role, queue_url = settings.TEXTRACT_TOPIC, settings.TEXTRACT_ROLE, settings.TEXTRACT_NOTICES
    if not (topic or role or queue_url):
        return []
    found: list[checks.CheckMessage] = []
    if not (topic and role and queue_url):
        hint = "Set DTAT_TEXTRACT_TOPIC, DTAT_TEXTRACT_ROLE and DTAT_TEXTRACT_NOTICES, or none of them."
        found.append(_error("E024", "Word of jobs that have ended is set up by half.", hint))
    region = TOPIC.fullmatch(topic)
    if topic and (region is None or region[1] != settings.AWS_REGION):
        hint = f"Name the ARN of an SNS topic in {settings.AWS_REGION}: arn:aws:sns:region:account:name."
        found.append(_error("E025", "DTAT_TEXTRACT_TOPIC is no topic in the region of Textract.", hint))
    return found


@checks.register(checks.Tags.security)
def manifests(app_configs: Apps, **kwargs: Any) -> list[checks.CheckMessage]:
    """A manifest names files to read: never those of the product itself, where every tenant's documents lie side by side."""
    found: list[checks.CheckMessage] = []
    for rule in settings.MANIFEST_BUCKETS:
        parts = sources.RULE.fullmatch(rule)
        if parts is None:
            found.append(
                _error("E021", f"DTAT_MANIFEST_BUCKETS holds {rule!r}.", "Write tenant:bucket or tenant:bucket/prefix.")
            )
        elif settings.STORAGE == "s3" and parts["bucket"] == settings.BUCKET:
            found.append(
                _error(
                    "E022", "DTAT_MANIFEST_BUCKETS names the bucket of the documents.", "Import from another bucket."
                )
            )
    if settings.STORAGE == "files" and settings.DOCUMENTS_ROOT.is_relative_to(settings.IMPORTS_ROOT):
        found.append(_error("E023", "DTAT_IMPORTS holds the documents.", "Name a folder that holds imports only."))
    return found


def watch_connections() -> None:
    """Refuse a database role that row-level security and the audit trail do not bind."""
    connection_created.connect(_refuse_superuser, dispatch_uid="dtat.role")


def refuse_unsafe() -> None:
    """Raise ImproperlyConfigured when a check finds an error; for processes that no management command starts."""
    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(f"{error.id}: {error.msg} {error.hint or ''}" for error in errors))


def _refuse_superuser(sender: type[BaseDatabaseWrapper], connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.connection in _bound:  # it comes from the pool, and was looked at when it was made
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        role, above_the_rules = cursor.fetchone()
    if above_the_rules:
        connection.close()
        raise ImproperlyConfigured(
            f"dtat.E030: the database role {role!r} is a superuser or bypasses row-level security. "
            "Use the app role in DATABASE_URL (docs/configuration.md)."
        )
    _bound.add(connection.connection)


def _is_private(host: str) -> bool:
    name = host.strip("[].")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _error(number: str, message: str, hint: str) -> checks.Error:
    return checks.Error(message, hint=hint, id=f"dtat.{number}")
