"""Values from the environment: a value of the right kind, or a refusal that names the variable."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# Words of secrets that stand in documentation and examples. None is short enough to turn up in a random text by chance.
KNOWN_SECRETS = frozenset({"changeme", "change-me", "insecure", "password", "placeholder", "replace-me", "your-secret"})
SECRET_LENGTH = 50  # Source: Django's check security.W009


class Refused(ImproperlyConfigured):
    """The environment holds a value that this product does not start with."""


def text(name: str, default: str | None = None) -> str:
    """The variable's text; without a default it must be set."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise Refused(f"Set {name}: it is required and has no default.")
    return default


def flag(name: str, *, default: bool) -> bool:
    """True or False, written as 1 or 0 (also true/false, yes/no)."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes"}:
        return True
    if value in {"0", "false", "no"}:
        return False
    raise Refused(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, at_least: int = 0) -> int:
    """A whole number not below `at_least`."""
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isdecimal() or int(value) < at_least:
        raise Refused(f"{name} must be a whole number of at least {at_least}, not {value!r}.")
    return int(value)


def choice(name: str, options: Sequence[str], default: str) -> str:
    """One of `options`."""
    value = text(name, default)
    if value not in options:
        raise Refused(f"{name} must be one of {', '.join(options)}, not {value!r}.")
    return value


def names(name: str, default: str = "") -> list[str]:
    """A list written with commas."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def secret(name: str) -> str:
    """A secret of at least 50 characters that was never printed anywhere.

    `NAME_FILE` may name a file that holds it instead. Raises Refused without repeating the value.
    """
    value = _from_file(name) or os.environ.get(name, "").strip()
    if not value:
        raise Refused(f"Set {name} (or {name}_FILE) to a random text of at least {SECRET_LENGTH} characters.")
    if len(value) < SECRET_LENGTH or len(set(value)) < 10 or any(known in value.lower() for known in KNOWN_SECRETS):
        raise Refused(
            f"{name} is short or well known. Make a new one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return value


def _from_file(name: str) -> str:
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Refused(f"{name}_FILE names a file that cannot be read ({error.strerror}).") from None


def database(name: str, default: str | None = None) -> dict[str, Any]:
    """Django's database settings from a URL: postgresql://user:password@host:port/name?sslmode=require."""
    parts = urlsplit(text(name, default))
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise Refused(f"{name} must look like postgresql://user:password@host:5432/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
