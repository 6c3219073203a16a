"""Who a caller is: keys, tokens, sessions; and how each of them ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client

from tenants import scope
from tenants.models import ApiKey, Membership, Role
from tests import make
from tests.api.calls import DOCUMENTS, of, post, problem, upload
from tests.engine import Engine

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough pass phrase"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def iris(cast: make.Cast) -> User:
    """Somebody of tenant A who signs in with a password."""
    return make.user(cast.a, Role.UPLOADER, Role.REVIEWER, username="iris", password=PASSWORD)


def tokens(password: str = PASSWORD) -> dict[str, str]:
    answer = post(Client(), "/api/v1/token/", {"username": "iris", "password": password})
    assert answer.status_code == 200, answer.content
    told: dict[str, str] = answer.json()
    assert set(told) == {"access", "refresh"}
    return told


def bearer(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def refused(client: Client, code: str = "authentication_failed") -> None:
    answer = client.get(DOCUMENTS)
    problem(answer, 401, code)
    assert answer["WWW-Authenticate"] == "Bearer, Api-Key"


# --- Nobody -------------------------------------------------------------------------------------------------------


def test_without_anything() -> None:
    refused(Client(), "not_authenticated")


@pytest.mark.parametrize(
    "header", ["Basic aXJpczp4", "Bearer", "Bearer a b", "Api-Key", "Api-Key dtat_x", "Bearer dtat_x", "Bearer x.y.z"]
)
def test_with_nonsense(header: str) -> None:
    answer = Client(headers={"Authorization": header}).get(DOCUMENTS)
    assert answer.status_code == 401
    problem(answer, 401, answer.json()["code"])


# --- Keys ---------------------------------------------------------------------------------------------------------


def test_a_key_works_under_both_words(cast: make.Cast) -> None:
    assert cast.api().get(DOCUMENTS).status_code == 200
    assert bearer(cast.key).get(DOCUMENTS).status_code == 200


def test_a_revoked_key(cast: make.Cast) -> None:
    with scope.everything():
        ApiKey.objects.update(revoked_at=Now())
    refused(cast.api())


def test_a_key_of_a_disabled_user(cast: make.Cast) -> None:
    User.objects.update(is_active=False)
    refused(cast.api())


def test_a_key_of_somebody_who_left_the_tenant(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a)
    with scope.everything():
        Membership.objects.filter(tenant=cast.a).delete()
    problem(cast.api().get(of(document)), 404, "not_found")
    problem(upload(cast.api()), 403, "not_allowed")


def test_a_key_acts_in_its_own_tenant_only(cast: make.Cast, engine: Engine) -> None:
    """Ada belongs to both tenants, and a platform admin to all; their keys for A still see A alone."""
    ours, theirs = make.document(cast.a), make.document(cast.b)
    make.join(cast.ada, cast.b, Role.UPLOADER, Role.REVIEWER)
    admin = make.user(cast.a, Role.REVIEWER, superuser=True)
    for client in (cast.api(make.key(cast.a, cast.ada)), cast.api(make.key(cast.a, admin))):
        assert client.get(of(ours)).status_code == 200
        problem(client.get(of(theirs)), 404, "not_found")
        assert [row["id"] for row in client.get(DOCUMENTS).json()["results"]] == [str(ours.pk)]


# --- Tokens -------------------------------------------------------------------------------------------------------


def test_obtain_and_refresh(iris: User) -> None:
    pair = tokens()
    assert bearer(pair["access"]).get(DOCUMENTS).status_code == 200
    answer = post(Client(), "/api/v1/token/refresh/", {"refresh": pair["refresh"]})
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    assert answer.json()["refresh"] == pair["refresh"]
    assert bearer(answer.json()["access"]).get(DOCUMENTS).status_code == 200


def test_an_access_token_lives_ten_minutes(iris: User) -> None:
    claims = jwt.decode(tokens()["access"], settings.JWT_KEY, algorithms=["HS256"], audience="dtat")
    assert claims["exp"] - claims["iat"] == 600


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "iris", "password": "wrong"}, 401),
        ({"username": "nobody", "password": PASSWORD}, 401),
        ({"username": "iris"}, 400),
        ({}, 400),
        ([], 400),
        ({"username": {"a": 1}, "password": []}, 400),
    ],
)
def test_wrong_credentials(iris: User, body: object, status: int) -> None:
    answer = Client().post("/api/v1/token/", json.dumps(body), content_type="application/json")
    problem(answer, status, "no_active_account" if status == 401 else "invalid")


def test_a_disabled_user_gets_no_token(iris: User) -> None:
    User.objects.filter(pk=iris.pk).update(is_active=False)
    answer = post(Client(), "/api/v1/token/", {"username": "iris", "password": PASSWORD})
    problem(answer, 401, "no_active_account")


@pytest.mark.parametrize("change", ["disabled", "deleted", "password"])
def test_what_ends_an_account_ends_its_tokens_at_once(iris: User, change: str) -> None:
    pair = tokens()
    if change == "disabled":
        User.objects.filter(pk=iris.pk).update(is_active=False)
    elif change == "deleted":
        with scope.everything():
            iris.delete()
    else:
        iris.set_password("another long pass phrase")
        iris.save()
    refused(bearer(pair["access"]))
    answer = post(Client(), "/api/v1/token/refresh/", {"refresh": pair["refresh"]})
    problem(answer, 401, "token_not_valid")


def test_a_lost_role_is_lost_at_once(cast: make.Cast, iris: User, engine: Engine) -> None:
    document = make.document(cast.a)
    client = bearer(tokens()["access"])
    assert client.get(of(document)).status_code == 200
    with scope.everything():
        Membership.objects.filter(user=iris).delete()
    problem(client.get(of(document)), 404, "not_found")


def forged(change: str, good: str, refresh: str) -> str:
    """A token that must not be believed."""
    claims = jwt.decode(good, options={"verify_signature": False})
    header, payload, signature = good.split(".")
    encoded = {
        "none": lambda: jwt.encode(claims, "", algorithm="none"),
        "other_key": lambda: jwt.encode(claims, "k" * 48, algorithm="HS256"),
        "empty_key": lambda: _signed({"alg": "HS256", "typ": "JWT"}, claims, b""),
        "session_key": lambda: jwt.encode(claims, settings.SECRET_KEY, algorithm="HS256"),
        "other_algorithm": lambda: jwt.encode(claims, settings.JWT_KEY * 2, algorithm="HS512"),
        "kid": lambda: _signed({"alg": "HS256", "typ": "JWT", "kid": "/dev/null"}, claims, b""),
        "audience": lambda: jwt.encode(claims | {"aud": "other"}, settings.JWT_KEY),
        "no_audience": lambda: jwt.encode({k: v for k, v in claims.items() if k != "aud"}, settings.JWT_KEY),
        "expired": lambda: jwt.encode(claims | {"exp": datetime.now(UTC) - timedelta(minutes=5)}, settings.JWT_KEY),
        "another_user": lambda: ".".join([header, _payload(claims | {"user_id": "1"}), signature]),
        "cut_signature": lambda: ".".join([header, payload, ""]),
        "no_user": lambda: jwt.encode({k: v for k, v in claims.items() if k != "user_id"}, settings.JWT_KEY),
        "refresh_as_access": lambda: refresh,
    }
    return encoded[change]()


def _payload(claims: dict[str, Any]) -> str:
    return _base64(json.dumps(claims).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _signed(header: dict[str, str], claims: dict[str, Any], key: bytes) -> str:
    """What the library refuses to sign: a token under any key."""
    text = f"{_payload(header)}.{_payload(claims)}"
    return f"{text}.{_base64(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.parametrize(
    "change",
    ["none", "other_key", "empty_key", "session_key", "other_algorithm", "kid", "audience", "no_audience", "expired"]
    + ["another_user", "cut_signature", "no_user", "refresh_as_access"],
)
def test_forged_tokens(iris: User, change: str) -> None:
    pair = tokens()
    assert bearer(pair["access"]).get(DOCUMENTS).status_code == 200
    refused(bearer(forged(change, pair["access"], pair["refresh"])))


def test_an_access_token_does_not_refresh(iris: User) -> None:
    answer = post(Client(), "/api/v1/token/refresh/", {"refresh": tokens()["access"]})
    problem(answer, 401, "token_not_valid")


def test_five_wrong_passwords_lock_the_door(iris: User) -> None:
    for _ in range(5):
        answer = post(Client(), "/api/v1/token/", {"username": "iris", "password": "wrong"})
    locked = post(Client(), "/api/v1/token/", {"username": "iris", "password": PASSWORD})
    for each in (answer, locked):
        problem(each, 429, "too_many_attempts")
    assert int(locked["Retry-After"]) > 0


# --- Sessions -----------------------------------------------------------------------------------------------------


def test_a_session_reads_and_needs_the_csrf_token_to_write(cast: make.Cast, engine: Engine) -> None:
    document = make.document(cast.a, "needs_review")
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada, backend="dtat_site.sessions.PersonBackend")
    assert client.get(of(document)).status_code == 200
    told = problem(
        post(client, of(document, "review/"), {"version": document.version, "decision": "approve"}),
        403,
        "permission_denied",
    )
    assert "CSRF" in told["detail"]
    assert make.reload(document).status == "needs_review"
