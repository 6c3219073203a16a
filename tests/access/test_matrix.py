"""Who gets what on every route. A route without a row here fails: whoever adds one says who may use it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from tenants import access, scope
from tests.access.world import ROLES, STRANGERS, World, leaks, state

# For each route and method the answer to every role, in the order of ROLES. The document asked for is tenant A's.
# Pages send strangers without a session to the sign-in page (302), the API answers them 401. A key is no session.
TABLE = """
route               method anon  upl  rev  sup  aud  adm  plat revB keyB
home                GET    302   302  302  302  302  302  302  302  302
home                POST   302   302  302  302  302  302  302  302  302
login               GET    200   302  302  302  302  302  302  302  200
login               POST   200   302  302  302  302  302  302  302  200
logout              GET    405   405  405  405  405  405  405  405  405
logout              POST   302   302  302  302  302  302  302  302  302
set_language        GET    302   302  302  302  302  302  302  302  302
set_language        POST   302   302  302  302  302  302  302  302  302
queue               GET    302   200  200  200  200  200  200  200  302
queue               POST   302   405  405  405  405  405  405  405  302
queue-assign        GET    302   405  405  405  405  405  405  405  302
queue-assign        POST   302   302  302  302  302  302  302  302  302
dashboard           GET    302   200  200  200  200  200  200  200  302
dashboard           POST   302   405  405  405  405  405  405  405  302
documents           GET    302   200  200  200  200  200  200  200  302
documents           POST   302   405  405  405  405  405  405  405  302
document-upload     GET    302   200  403  200  403  200  200  403  302
document-upload     POST   302   202  403  202  403  202  422  403  302
document            GET    302   200  200  200  200  200  200  404  302
document            POST   302   405  405  405  405  405  405  405  302
document-original   GET    302   200  200  200  200  200  200  404  302
document-original   POST   302   405  405  405  405  405  405  405  302
document-result     GET    302   200  200  200  200  200  200  404  302
document-result     POST   302   405  405  405  405  405  405  405  302
document-raw        GET    302   200  200  200  200  200  200  404  302
document-raw        POST   302   405  405  405  405  405  405  405  302
page-image          GET    302   200  200  200  200  200  200  404  302
page-image          POST   302   405  405  405  405  405  405  405  302
page-crop           GET    302   200  200  200  200  200  200  404  302
page-crop           POST   302   405  405  405  405  405  405  405  302
page-words          GET    302   200  200  200  200  200  200  404  302
page-words          POST   302   405  405  405  405  405  405  405  302
document-reopen     GET    302   405  405  405  405  405  405  405  302
document-reopen     POST   302   302  302  302  302  302  302  404  302
document-retry      GET    302   405  405  405  405  405  405  405  302
document-retry      POST   302   302  302  302  302  302  302  404  302
document-replay     GET    302   405  405  405  405  405  405  405  302
document-replay     POST   302   302  302  302  302  302  302  404  302
document-split      GET    302   302  200  200  302  302  200  404  302
document-split      POST   302   302  422  422  302  302  422  404  302
review              GET    302   200  200  200  200  200  200  404  302
review              POST   302   405  405  405  405  405  405  405  302
review-next         GET    302   405  405  405  405  405  405  405  302
review-next         POST   302   302  302  302  302  302  302  302  302
review-opened       GET    401   405  405  405  405  405  405  405  405
review-opened       POST   401   403  200  200  403  403  200  404  404
review-ahead        GET    401   405  405  405  405  405  405  405  405
review-ahead        POST   401   403  200  200  403  403  200  404  404
review-heartbeat    GET    401   405  405  405  405  405  405  405  405
review-heartbeat    POST   401   409  409  409  409  409  409  404  404
review-draft        GET    401   405  405  405  405  405  405  405  405
review-draft        POST   401   403  409  409  403  403  409  404  404
review-decision     GET    401   405  405  405  405  405  405  405  405
review-decision     POST   401   403  200  200  403  403  200  404  404
review-aside        GET    401   405  405  405  405  405  405  405  405
review-aside        POST   401   409  409  409  409  409  409  404  404
review-escalate     GET    401   405  405  405  405  405  405  405  405
review-escalate     POST   401   409  409  409  409  409  409  404  404
review-comment      GET    401   405  405  405  405  405  405  405  405
review-comment      POST   401   403  200  200  403  403  200  404  404
review-answer       GET    401   405  405  405  405  405  405  405  405
review-answer       POST   401   409  409  409  409  409  409  404  404
review-take-over    GET    302   405  405  405  405  405  405  405  302
review-take-over    POST   302   302  302  302  302  302  302  404  302
review-undo         GET    401   405  405  405  405  405  405  405  405
review-undo         POST   401   403  409  409  403  403  409  404  404
review-turn         GET    401   405  405  405  405  405  405  405  405
review-turn         POST   401   409  409  409  409  409  409  404  404
keys                GET    302   200  200  200  200  200  200  200  302
keys                POST   302   405  405  405  405  405  405  405  302
lanes               GET    302   403  200  200  403  403  200  200  302
lanes               POST   302   405  405  405  405  405  405  405  302
lane                GET    302   403  200  200  403  403  200  200  302
lane                POST   302   405  405  405  405  405  405  405  302
lane-rows           GET    401   405  405  405  405  405  405  405  405
lane-rows           POST   401   403  200  200  403  403  200  200  200
lane-answers        GET    401   405  405  405  405  405  405  405  405
lane-answers        POST   401   403  200  200  403  403  200  200  200
lane-take-back      GET    401   405  405  405  405  405  405  405  405
lane-take-back      POST   401   403  409  409  403  403  409  404  404
lanes-heartbeat     GET    401   405  405  405  405  405  405  405  405
lanes-heartbeat     POST   401   200  200  200  200  200  200  200  200
lanes-release       GET    405   405  405  405  405  405  405  405  405
lanes-release       POST   204   204  204  204  204  204  204  204  204
keys-keep           GET    401   405  405  405  405  405  405  405  405
keys-keep           POST   401   200  200  200  200  200  200  200  200
review-release      GET    405   405  405  405  405  405  405  405  405
review-release      POST   204   204  204  204  204  204  204  204  204
api-token           GET    405   405  405  405  405  405  405  405  405
api-token           POST   400   400  400  400  400  400  400  400  400
api-token-refresh   GET    405   405  405  405  405  405  405  405  405
api-token-refresh   POST   400   400  400  400  400  400  400  400  400
api-tenants         GET    401   200  200  200  200  200  200  200  200
api-tenants         POST   401   405  405  405  405  405  405  405  405
api-documents       GET    401   200  200  200  200  200  200  200  200
api-documents       POST   401   202  403  202  403  202  422  403  202
api-document        GET    401   200  200  200  200  200  200  404  404
api-document        POST   401   405  405  405  405  405  405  405  405
api-result          GET    401   200  200  200  200  200  200  404  404
api-result          POST   401   405  405  405  405  405  405  405  405
api-raw             GET    401   200  200  200  200  200  200  404  404
api-raw             POST   401   405  405  405  405  405  405  405  405
api-original        GET    401   200  200  200  200  200  200  404  404
api-original        POST   401   405  405  405  405  405  405  405  405
api-page-image      GET    401   200  200  200  200  200  200  404  404
api-page-image      POST   401   405  405  405  405  405  405  405  405
api-estimate        GET    401   200  200  200  200  200  200  200  200
api-estimate        POST   401   405  405  405  405  405  405  405  405
api-costs           GET    401   200  200  200  200  200  200  200  200
api-costs           POST   401   405  405  405  405  405  405  405  405
api-audit           GET    401   200  200  200  200  200  200  404  404
api-audit           POST   401   405  405  405  405  405  405  405  405
api-review          GET    401   405  405  405  405  405  405  405  405
api-review          POST   401   403  200  200  403  403  200  404  404
api-reopen          GET    401   405  405  405  405  405  405  405  405
api-reopen          POST   401   403  403  202  403  202  202  404  404
api-retry           GET    401   405  405  405  405  405  405  405  405
api-retry           POST   401   403  403  202  403  202  202  404  404
api-replay          GET    401   405  405  405  405  405  405  405  405
api-replay          POST   401   403  403  202  403  202  202  404  404
api-split           GET    401   403  200  200  403  403  200  404  404
api-split           POST   401   403  409  409  403  403  409  404  404
ocr                 GET    401   405  405  405  405  405  405  405  405
ocr                 POST   401   202  403  202  403  202  422  403  202
ocr-async           GET    401   405  405  405  405  405  405  405  405
ocr-async           POST   401   202  403  202  403  202  422  403  202
ocr-job             GET    401   200  200  200  200  200  200  404  404
ocr-job             POST   401   405  405  405  405  405  405  405  405
ocr-queue           GET    401   200  200  200  200  200  200  200  200
ocr-queue           POST   401   405  405  405  405  405  405  405  405
batches             GET    302   200  200  200  200  200  200  200  302
batches             POST   302   302  403  302  403  302  422  403  302
batch               GET    302   200  200  200  200  200  200  404  302
batch               POST   302   405  405  405  405  405  405  405  302
batch-progress      GET    302   200  200  200  200  200  200  404  302
batch-progress      POST   302   405  405  405  405  405  405  405  302
batch-results       GET    302   200  200  200  200  200  200  404  302
batch-results       POST   302   405  405  405  405  405  405  405  302
batch-pause         GET    302   405  405  405  405  405  405  405  302
batch-pause         POST   302   302  302  302  302  302  302  404  302
batch-resume        GET    302   405  405  405  405  405  405  405  302
batch-resume        POST   302   302  302  302  302  302  302  404  302
batch-cancel        GET    302   405  405  405  405  405  405  405  302
batch-cancel        POST   302   302  302  302  302  302  302  404  302
api-batches         GET    401   200  200  200  200  200  200  200  200
api-batches         POST   401   202  403  202  403  202  422  403  422
api-batch           GET    401   200  200  200  200  200  200  404  404
api-batch           POST   401   405  405  405  405  405  405  405  405
api-batch-items     GET    401   200  200  200  200  200  200  404  404
api-batch-items     POST   401   405  405  405  405  405  405  405  405
api-batch-results   GET    401   200  200  200  200  200  200  404  404
api-batch-results   POST   401   405  405  405  405  405  405  405  405
api-batch-pause     GET    401   405  405  405  405  405  405  405  405
api-batch-pause     POST   401   200  403  200  403  200  200  404  404
api-batch-resume    GET    401   405  405  405  405  405  405  405  405
api-batch-resume    POST   401   200  403  200  403  200  200  404  404
api-batch-cancel    GET    401   405  405  405  405  405  405  405  405
api-batch-cancel    POST   401   200  403  200  403  200  200  404  404
document-types      GET    302  403  403  403  403  200  200  403  302
document-types      POST   302  405  405  405  405  405  405  405  302
new-document-type   GET    302  403  403  403  403  403  200  403  302
new-document-type   POST   302  403  403  403  403  403  422  403  302
a-document-type     GET    302  403  403  403  403  200  200  403  302
a-document-type     POST   302  403  403  403  403  422  422  403  302
a-document-type-yaml GET   302  403  403  403  403  200  200  403  302
a-document-type-yaml POST  302  405  405  405  405  405  405  405  302
api-schema          GET    200   200  200  200  200  200  200  200  200
api-schema          POST   405   405  405  405  405  405  405  405  405
api-docs            GET    200   200  200  200  200  200  200  200  200
api-docs            POST   405   405  405  405  405  405  405  405  405
api-nowhere         GET    404   404  404  404  404  404  404  404  404
api-nowhere         POST   404   404  404  404  404  404  404  404  404
healthz             GET    200   200  200  200  200  200  200  200  200
healthz             POST   405   405  405  405  405  405  405  405  405
readyz              GET    503   503  503  503  503  503  503  503  503
readyz              POST   405   405  405  405  405  405  405  405  405
metrics             GET    200   200  200  200  200  200  200  200  200
metrics             POST   405   405  405  405  405  405  405  405  405
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]
DECLARED = {(route, method): dict(zip(ROLES, map(int, answers), strict=True)) for route, method, *answers in ROWS}
ROUTES = list(dict.fromkeys(route for route, _method in DECLARED))
OF_A_DOCUMENT = [
    route for route in ROUTES
    if route.startswith(("document-", "review-", "api-", "batch-"))
    or route in {"document", "review", "page-image", "page-crop", "page-words", "ocr-job", "batch"}
    if route not in {"document-types", "document-upload", "review-next", "review-release"}
    if not route.startswith(("api-token", "api-tenants", "api-schema", "api-docs", "api-nowhere"))
    if route not in {"api-documents", "api-estimate", "api-costs", "api-batches"}
]  # fmt: skip
# Opening a document claims it, and a page is drawn when it is first looked at: these two write, and only this.
WRITING_GETS = {
    "review": frozenset({"review_claim", "audit_auditevent", "audit_audithead"}),
    "page-image": frozenset({"ocr_artifact", "ocr_page"}),
    "api-page-image": frozenset({"ocr_artifact", "ocr_page"}),
}


def routes(patterns: list[URLPattern | URLResolver]) -> list[str]:
    found = []
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            found.append(str(pattern.name))
        elif pattern.namespace != "admin":  # tests/access/test_admin.py
            found.extend(routes(pattern.url_patterns))
    return found


def test_every_route_is_in_the_table() -> None:
    known = routes(get_resolver().url_patterns)
    assert len(known) == len(set(known)), "two routes share a name"
    assert set(known) == set(ROUTES)
    assert {(route, method) for route in known for method in ("GET", "POST")} == set(DECLARED)


@pytest.mark.parametrize(("route", "method"), DECLARED, ids=[" ".join(pair) for pair in DECLARED])
def test_who_gets_what(world: World, route: str, method: str) -> None:
    given = {}
    for role in ROLES:
        with transaction.atomic():
            answer = world.send(world.client(role), route, method)
            given[role] = answer.status_code
            if role in STRANGERS:
                assert leaks(answer) == [], (role, answer.read[:300])
            if answer.status_code == 302 and role in {"anonymous", "key_b"} and route not in {"logout", "set_language"}:
                assert answer["Location"].startswith("/login/?next="), role
            transaction.set_rollback(True)
    assert given == DECLARED[route, method]


@pytest.mark.parametrize("route", ROUTES)
def test_other_methods_do_nothing(world: World, route: str) -> None:
    usual = {405, 404} if route not in {"home", "set_language"} else {302}
    usual |= {200, 302} if route == "login" else set()  # Django's form view takes PUT for POST, without a body
    before = state()
    for method in ("PUT", "PATCH", "DELETE"):
        assert world.client("supervisor").generic(method, world.path(route)).status_code in usual, method
    assert state() == before


# --- Strangers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STRANGERS)
def test_a_stranger_changes_nothing(world: World, role: str) -> None:
    before = state()
    for route in OF_A_DOCUMENT:
        for document in (world.waiting, world.decided, world.failed):
            for method in ("GET", "POST"):
                answer = world.send(world.client(role), route, method, document)
                assert answer.status_code in {302, 401, 404, 405}, (route, method)
                assert leaks(answer) == [], (route, method)
    assert state() == before


@pytest.mark.parametrize(
    "name", ["tenant", "tenant_id", "document_id", "id", "q", "external_id", "cursor", "next", "page"]
)
def test_ids_and_words_of_a_in_queries_of_b(world: World, name: str) -> None:
    given = [str(world.a.pk), world.a.slug, str(world.waiting.pk), "okapi-4711", "zebraslip", "Quillfeather"]
    for role, paths in {
        "reviewer_b": ["/documents/", "/queue/", "/dashboard/"],
        "key_b": ["/api/v1/documents/"],
    }.items():
        client = world.client(role)
        for path in paths:
            for value in given:
                answer = client.get(path, {name: value})
                body = (
                    answer.content.decode().lower().replace(f'value="{value.lower()}"', "")
                )  # the search box repeats it
                assert answer.status_code in {200, 400, 404}
                assert str(world.waiting.pk) not in body or value == str(world.waiting.pk)
                assert f"/documents/{world.waiting.pk}/" not in body
                assert not [c for c in ("77.31", "narwhal", "aldermoor") if c in body and c != value.lower()]


def test_b_uploads_into_b_whatever_the_body_says(world: World) -> None:
    client = world.client("key_b")
    for wanted in ("aldermoor", str(world.a.pk)):
        assert world.send(client, "api-documents", "POST", tenant=wanted).status_code == 422
    for name in ("tenant_id", "document_id", "duplicate_of"):
        more: dict[str, Any] = {name: str(world.a.pk)}
        answer = world.send(client, "api-documents", "POST", **more)
        assert answer.status_code == 202
        assert world.client("supervisor").get(answer.json()["links"]["self"]).status_code == 404


def test_a_claim_of_b_opens_nothing_of_a(world: World) -> None:
    from tests import make

    token = str(make.claim(world.others, world.people["reviewer_b"]))
    client = world.client("reviewer_b")
    for route in ("review-heartbeat", "review-draft", "review-decision", "api-review"):
        assert world.send(client, route, "POST", world.waiting, token=token).status_code == 404
    before = state()
    assert world.send(client, "review-release", "POST", world.waiting, token=token).status_code == 204
    assert state() == before


# --- Row-level security alone -------------------------------------------------------------------------------------


@pytest.fixture
def _no_filters(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application has forgotten to ask who is asking; only the database's own policy is left."""
    monkeypatch.setattr(access, "visible_tenants", lambda user: None)
    monkeypatch.setattr(access, "tenants_with", lambda user, ability: [world.a.pk, world.b.pk])
    monkeypatch.setattr(access, "can", lambda user, ability, tenant_id=None: True)
    monkeypatch.setattr(access, "check", lambda user, ability, tenant_id=None: None)


@pytest.mark.parametrize("role", ["reviewer_b", "key_b"])
@pytest.mark.parametrize("route", OF_A_DOCUMENT)
def test_without_filters_the_database_still_hides_a(world: World, _no_filters: None, route: str, role: str) -> None:
    before = state()
    for method in ("GET", "POST"):
        answer = world.send(world.client(role), route, method)
        usual = {404, 405} | ({302} if role == "key_b" else set())
        assert answer.status_code in usual, method
        assert leaks(answer) == []
    assert state() == before


@pytest.mark.parametrize(
    "path", ["/documents/", "/queue/", "/queue/?tab=mine", "/queue/?tab=done", "/dashboard/?period=30d"]
)
def test_without_filters_lists_still_hide_a(world: World, _no_filters: None, path: str) -> None:
    answer = world.client("reviewer_b").get(path)
    assert answer.status_code == 200
    assert leaks(answer) == []
    assert str(world.waiting.pk) not in answer.content.decode()


@pytest.mark.parametrize("role", ["reviewer_b", "key_b"])
def test_without_filters_the_api_still_hides_a(world: World, _no_filters: None, role: str) -> None:
    told = world.client(role).get("/api/v1/documents/").json()
    assert [row["id"] for row in told["results"]] == [str(world.others.pk)]
    assert world.client(role).get("/api/v1/tenants/").json()["results"] == [{"slug": "birch", "name": "Birch"}]


def test_without_filters_b_is_handed_its_own_document_only(world: World, _no_filters: None) -> None:
    client = world.client("reviewer_b")
    for _ in range(2):
        assert client.post("/review/next/")["Location"] == f"/review/{world.others.pk}/"


def test_the_table_would_notice_an_open_database(
    world: World, _no_filters: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: with the policy wide open as well, B reads A."""
    monkeypatch.setattr(access, "scope_of", lambda user: scope.everything())
    answer = world.send(world.client("reviewer_b"), "api-document", "GET")
    assert answer.status_code == 200
    assert leaks(answer)


# --- The application's filters alone ------------------------------------------------------------------------------


@pytest.fixture
def _no_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other way round: the database shows everything, and only the application asks who is asking."""
    monkeypatch.setattr(access, "scope_of", lambda user: scope.everything())


@pytest.mark.parametrize("role", ["reviewer_b", "key_b"])
@pytest.mark.parametrize("route", OF_A_DOCUMENT)
def test_without_the_policy_the_filters_still_hide_a(world: World, _no_policy: None, route: str, role: str) -> None:
    before = state()
    for method in ("GET", "POST"):
        answer = world.send(world.client(role), route, method)
        assert answer.status_code in {404, 405} | ({302} if role == "key_b" else set()), method
        assert leaks(answer) == []
    assert state() == before


@pytest.mark.parametrize(
    "path", ["/documents/", "/queue/", "/queue/?tab=done", "/dashboard/?period=30d", "/api/v1/tenants/"]
)
def test_without_the_policy_lists_still_hide_a(world: World, _no_policy: None, path: str) -> None:
    answer = world.client("reviewer_b").get(path)
    assert answer.status_code == 200
    assert leaks(answer) == []
    assert str(world.waiting.pk) not in answer.content.decode()


def test_without_the_policy_b_still_gets_its_own_rows_only(world: World, _no_policy: None) -> None:
    told = world.client("key_b").get("/api/v1/documents/").json()
    assert [row["id"] for row in told["results"]] == [str(world.others.pk)]
    client = world.client("reviewer_b")
    assert {client.post("/review/next/")["Location"] for _ in range(2)} == {f"/review/{world.others.pk}/"}
    figures = client.get("/dashboard/?period=30d").context["kpis"]
    assert figures[0]["value"] == "1"


# --- Forged and careless requests ---------------------------------------------------------------------------------

_POSTS = [
    route
    for (route, method), answers in DECLARED.items()
    if method == "POST" and answers["supervisor"] not in {404, 405}
]


@pytest.mark.parametrize("route", _POSTS)
def test_a_post_with_a_session_needs_the_csrf_token(world: World, route: str) -> None:
    before = state()
    answer = world.send(world.client("supervisor", enforce_csrf_checks=True), route, "POST")
    without_session = {
        "review-release": 204,
        "lanes-release": 204,
        "api-token": 400,
        "api-token-refresh": 400,
    }  # the session counts for nothing there
    assert answer.status_code == without_session.get(route, 403)
    assert state() == before


@pytest.mark.parametrize("route", [route for (route, method) in DECLARED if method == "GET"])
def test_a_get_changes_nothing(world: World, route: str) -> None:
    allowed = WRITING_GETS.get(route, frozenset())
    before = state(without=allowed)
    world.send(world.client("supervisor"), route, "GET")
    assert state(without=allowed) == before


def extras(world: World) -> dict[str, Any]:
    """Members that no caller may set, on every model in reach."""
    return {
        "tenant_id": str(world.b.pk), "status": "approved", "straight_through": True, "reviewer": "user:mallory",
        "decided_at": "2020-01-01T00:00:00Z", "received_by": "user:mallory", "actor": "user:mallory", "source": "sample",
        "page_count": 99, "sha256": "0" * 64, "step": "route", "fence": 9, "lease_until": "2999-01-01T00:00:00Z",
        "is_staff": "true", "is_superuser": True, "user": 1, "holder": 1, "holder_id": 1, "roles": ["supervisor"],
        "confidence": 100, "machine_value": "x", "expires_at": "2999-01-01T00:00:00Z", "id": str(world.others.pk),
        "document_id": str(world.others.pk), "duplicate_of": str(world.others.pk), "micro_dollars": 0, "attempts": 0,
    }  # fmt: skip


@pytest.mark.parametrize("route", ["api-documents", "document-upload"])
def test_an_upload_sets_nothing_but_what_it_may(world: World, route: str) -> None:
    from ocr.models import Document

    answer = world.send(world.client("uploader"), route, "POST", version=7, **extras(world))
    assert answer.status_code == 202
    with scope.everything():
        made = Document.objects.get(pk=answer.json()["id"])
    assert (made.tenant_id, made.status, made.version, made.page_count) == (world.a.pk, "received", 1, 1)
    assert made.received_by == f"user:{world.people['uploader'].username}"
    assert (made.straight_through, made.reviewer, made.step, made.fence) == (None, "", "start", 0)
    assert made.source == ("api" if route == "api-documents" else "page")
    assert (made.duplicate_of, made.sha256 == "0" * 64) == (None, False)


@pytest.mark.parametrize(
    "route",
    [
        "api-review",
        "review-decision",
        "api-reopen",
        "api-replay",
        "api-retry",
        "document-reopen",
        "document-replay",
        "document-retry",
    ],
)
def test_an_act_sets_nothing_but_what_it_may(world: World, route: str) -> None:
    """With and without the extra members the same happens."""
    outcomes = []
    for more in ({}, extras(world)):
        with transaction.atomic():
            answer = world.send(world.client("supervisor"), route, "POST", **more)
            assert answer.status_code in {200, 202, 302}
            outcomes.append(_outcome(world, route))
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1]


def _outcome(world: World, route: str) -> dict[str, Any]:
    from django.contrib.auth.models import User

    from ocr.models import Document, Field
    from tenants.models import Membership

    moments = {"status_at", "due_at", "decided_at", "finished_at", "read_at"}
    with scope.everything():
        rows = list(Document.objects.order_by("pk").values())
        return {
            "documents": [{name: value for name, value in row.items() if name not in moments} for row in rows],
            "fields": list(
                Field.objects.order_by("document", "row", "name").values_list(
                    "name", "value", "machine_value", "confidence"
                )
            ),
            "staff": list(User.objects.order_by("pk").values_list("is_staff", "is_superuser")),
            "roles": list(Membership.objects.order_by("pk").values_list("user", "tenant", "role")),
        }


def test_a_draft_and_a_heartbeat_set_nothing_but_what_they_may(world: World) -> None:
    from review.models import Claim, Draft
    from tests import make

    who = world.people["reviewer"]
    token = str(make.claim(world.waiting, who))
    client = world.client("reviewer")
    assert world.send(client, "review-draft", "POST", **extras(world), token=token).status_code == 200
    assert world.send(client, "review-heartbeat", "POST", **extras(world), token=token).status_code == 200
    with scope.everything():
        draft, claim = Draft.objects.get(), Claim.objects.get()
    assert (draft.tenant_id, draft.holder_id, draft.document_id) == (world.a.pk, who.pk, world.waiting.pk)
    assert (claim.tenant_id, claim.holder_id, claim.document_id) == (world.a.pk, who.pk, world.waiting.pk)
    assert claim.expires_at.year < 2999


@pytest.mark.parametrize("role", ["reviewer_b", "key_b"])
def test_without_filters_lanes_still_hide_a(world: World, _no_filters: None, role: str) -> None:
    for route in ("lane-rows", "lane-answers"):
        answer = world.send(world.client(role), route, "POST")
        assert answer.status_code == 200
        assert leaks(answer) == []
        assert "documents/" + str(world.waiting.pk) not in answer.content.decode()
    from review.models import LaneAnswer

    with scope.everything():
        assert not LaneAnswer.objects.exists()
