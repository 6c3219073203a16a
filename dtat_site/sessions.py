"""Who asks: the session and its person, with which every request begins, by statements that the database plans once.

As the ORM's they took a quarter of the time of handing out the next document. Everything else of them is Django's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session

from audit import prepared

_NAMES = [field.attname for field in User._meta.concrete_fields]
_SESSION = (
    "SELECT session_key, session_data, expire_date FROM django_session"
    " WHERE session_key = $1::text AND expire_date > statement_timestamp()"
)
_PERSON = (
    f"SELECT {', '.join(str(field.column) for field in User._meta.concrete_fields)} FROM auth_user WHERE id = $1::int"
)


class SessionStore(DatabaseSessions):
    """Django's sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        for key, data, until in prepared.fetch(_SESSION, self.session_key):
            return Session(session_key=key, session_data=data, expire_date=until)
        # It forgets the key, and says why. (The stubs do not know it.)
        return super()._get_session_from_db()  # type: ignore[misc,no-any-return]


class PersonBackend(ModelBackend):
    """Django's users, by name and password."""

    def get_user(self, user_id: int) -> Any:
        for row in prepared.fetch(_PERSON, user_id):
            person = User.from_db("default", _NAMES, row)
            return person if self.user_can_authenticate(person) else None
        return None
