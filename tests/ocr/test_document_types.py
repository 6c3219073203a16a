"""Document types in the page: looked at, tried on recent documents, saved as the next version, used at once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import AuditEvent, Kind
from ocr import document_types, extraction
from ocr.document_types import written
from ocr.models import DocumentType
from tenants import scope
from tenants.models import Role
from tests import make
from tests.engine import CLEAR, Engine

pytestmark = pytest.mark.django_db
URL = "/document-types/receipt/"


@pytest.fixture
def admin(cast: make.Cast) -> Any:
    return cast.page(make.user(None, superuser=True, username="root"))


@pytest.fixture
def tenant_admin(cast: make.Cast) -> Any:
    return cast.page(make.user(cast.a, Role.TENANT_ADMIN, username="tess"))


def newest(name: str = "receipt") -> DocumentType:
    row = document_types.named(name)
    assert row
    return row


def text(**changes: Any) -> str:
    return yaml.safe_dump({**written.definition(written.as_yaml(newest())), **changes})


def send(client: Any, action: str, yaml_text: str, **more: Any) -> Any:
    return client.post(URL, {"action": action, "yaml": yaml_text, "based_on": str(newest().version), **more})


def body(answer: Any) -> str:
    found: str = answer.content.decode()
    return found


# --- YAML in and out


@pytest.mark.parametrize("path", sorted(document_types.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_shipped_comes_out_as_it_was_written(path: Any) -> None:
    row = newest(path.stem)
    again = written.definition(written.as_yaml(row))
    assert extraction.document_type({**again, "version": row.version}) == document_types.parsed(row)
    without = DocumentType(name=row.name, definition=row.definition, source="")
    assert written.definition(written.as_yaml(without)) == again
    assert list(yaml.safe_load(written.as_yaml(without)))[:2] == ["name", "label"]


GOOD = "name: slip\nlabel: Slip\nfields:\n  - name: total\n    kind: amount\n  - name: day\n"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("kind: amount", "kind: money", "Line 5: fields[0].kind must be one of text, amount,"),
        ("name: day", "name: total", "Line 6: fields[1] must not use the name total a second time."),
        ("label: Slip", "label: ''", "Line 2: label must be a text that is not empty."),
        ("label: Slip\n", "", "Line 1: label must be a text that is not empty."),
        ("label: Slip", "label: Slip\nlabel: Other", "Line 3: label must not be given twice."),
        ("label: Slip", "label: [Slip", "Line 3: This is not YAML: "),
        ("label: Slip", "colour: red\nlabel: Slip", "Line 2: colour is not known here;"),
        ("label: Slip", "label: &a Slip\ndate_order: *a", "Line 3: Write what the alias (*) stands for in its place."),
        ("label: Slip", 'label: "a\\0b"', "Line 1: A text must not hold characters that cannot be stored."),
        (GOOD, "- just a list", "Line 1: The document type must be a mapping of keys to values."),
        (GOOD, "[" * 3000 + "]" * 3000, "Line 1: This is not YAML. Check for"),
        (GOOD, "x" * 200_001, "Line 1: The text is longer than 200,000 characters."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, sentence: str) -> None:
    assert written.definition(GOOD)["name"] == "slip"
    with pytest.raises(written.Unreadable) as refused:
        written.definition(GOOD.replace(old, new))
    assert str(refused.value).startswith(sentence)


# --- Who may look, who may save


def test_the_list_names_each_type_and_how_many_documents_have_it(
    cast: make.Cast, tenant_admin: Any, engine: Engine
) -> None:
    make.document(cast.a, "approved")
    make.document(cast.b, "approved")
    page = body(tenant_admin.get("/document-types/"))
    assert "Receipt" in page and 'href="/document-types/receipt/"' in page and "New type" not in page
    row = page[page.index('data-url="/document-types/receipt/"') :].split("</tr>")[0]
    assert '<td class="end number">1<span' in row, "the other tenant's document is not counted"


@pytest.mark.parametrize("who", ["ada", "sue", "cleo"])
def test_others_than_administrators_see_nothing_of_it(cast: make.Cast, who: str) -> None:
    client = cast.page(getattr(cast, who))
    assert [client.get(url).status_code for url in ("/document-types/", URL, f"{URL}yaml/")] == [403] * 3
    assert "/document-types/" not in body(client.get("/documents/"))


def test_a_tenant_s_administrator_looks_and_tries_and_saves_nothing(tenant_admin: Any) -> None:
    page = body(tenant_admin.get(URL))
    assert "name: merchant" in page and 'value="save"' not in page
    assert send(tenant_admin, "preview", text(label="Till receipt")).status_code == 200
    before = newest()
    answer = send(tenant_admin, "save", text(label="Till receipt"))
    assert answer.status_code == 403
    assert "only the platform&#x27;s administrator can save one" in body(answer)
    assert newest() == before


# --- Preview


def test_a_preview_says_what_would_change_on_recent_documents(
    cast: make.Cast, tenant_admin: Any, engine: Engine
) -> None:
    shown = make.document(cast.a, "approved", filename="mine.png")
    make.document(cast.b, "approved", filename="theirs.png")
    calls = len(engine.calls)
    before = newest()
    changed = written.definition(written.as_yaml(before))
    changed["fields"] = [each for each in changed["fields"] if each["name"] != "cash"]
    changed["fields"].append({"name": "till", "required": True, "labels": ["till"]})
    changed["rules"] = [each for each in changed["rules"] if "cash" not in each["terms"]]
    answer = tenant_admin.post(
        URL, {"action": "preview", "yaml": yaml.safe_dump(changed)}, headers={"Accept": "application/json"}
    )
    (told,) = answer.json()["documents"]
    assert (told["name"], told["url"]) == ("mine.png", f"/documents/{shown.pk}/")
    assert {"field": "till", "before": None, "after": ""} in told["changes"]
    assert [each["after"] for each in told["changes"] if each["field"] == "cash"] == [None]
    assert told["new_problems"] == ["till: Till was not found on the document."]
    page = body(send(tenant_admin, "preview", yaml.safe_dump(changed)))
    assert "mine.png" in page and "Till was not found on the document." in page, "the same without a script"
    assert len(engine.calls) == calls, "Textract is asked nothing"
    assert newest() == before
    assert make.reload(shown).version == shown.version


def test_an_unchanged_type_changes_nothing(cast: make.Cast, tenant_admin: Any, engine: Engine) -> None:
    for _ in range(6):
        make.document(cast.a, "needs_review")
    found = tenant_admin.post(URL, {"action": "preview", "yaml": text()}, headers={"Accept": "application/json"}).json()
    assert len(found["documents"]) == 5
    assert all(not (each["changes"] or each["new_problems"] or each["gone_problems"]) for each in found["documents"])


def test_a_mistake_is_told_with_its_line_in_the_page_and_to_the_script(tenant_admin: Any) -> None:
    wrong = text().replace("kind: amount", "kind: money", 1)
    answer = send(tenant_admin, "preview", wrong)
    assert answer.status_code == 422 and "kind must be one of text" in body(answer) and "kind: money" in body(answer)
    told = tenant_admin.post(URL, {"action": "preview", "yaml": wrong}, headers={"Accept": "application/json"})
    assert told.status_code == 422
    assert told.json()["line"] == wrong[: wrong.index("kind: money")].count("\n") + 1


# --- Saving


def test_saving_makes_the_next_version_which_the_next_document_is_read_with(
    cast: make.Cast, admin: Any, engine: Engine
) -> None:
    old = make.document(cast.a, "approved")
    before = newest()
    answer = send(admin, "save", "# mine\n" + text(label="Till receipt"))
    assert answer["Location"] == URL
    now = newest()
    assert (now.version, now.label, now.made_by) == (before.version + 1, "Till receipt", "user:root")
    assert written.as_yaml(now).startswith("# mine\n"), "comments stay"
    assert "# mine" in body(admin.get(f"{URL}yaml/?version={now.version}"))
    assert "# mine" not in body(admin.get(f"{URL}yaml/?version={before.version}"))
    new = make.document(cast.a, "approved", pages=[CLEAR])
    assert make.reload(new).document_type == now
    assert make.reload(old).document_type == before
    with scope.everything():
        row = AuditEvent.objects.get(kind=Kind.DOCUMENT_TYPE_CHANGED)
    assert row.actor == "user:root"
    assert row.codes == {
        "document_type": "receipt", "type_version": now.version, "change": "added", "sha256": now.digest,
    }  # fmt: skip
    assert make.broken() == []


def test_who_was_overtaken_is_told_by_whom(admin: Any) -> None:
    first = text(label="First")
    seen = str(newest().version)
    assert send(admin, "save", first).status_code == 302
    answer = admin.post(URL, {"action": "save", "yaml": first.replace("First", "Second"), "based_on": seen})
    assert answer.status_code == 409
    assert "was saved by root meanwhile" in body(answer) and "Second" in body(answer), "the text is not lost"
    assert newest().label == "First"


def test_the_same_again_is_no_new_version(admin: Any) -> None:
    before = newest()
    assert send(admin, "save", written.as_yaml(before)).status_code == 302
    assert newest() == before
    assert not AuditEvent.objects.filter(kind=Kind.DOCUMENT_TYPE_CHANGED).exists()


def test_a_type_keeps_its_name(admin: Any) -> None:
    answer = send(admin, "save", text(name="other"))
    assert answer.status_code == 422
    assert "name must stay receipt" in body(answer)


def test_a_new_type_is_made_once(admin: Any) -> None:
    url = "/document-types/new-type/"
    assert "name: my_type" in body(admin.get(url))
    assert admin.post(url, {"action": "save", "yaml": GOOD})["Location"] == "/document-types/slip/"
    assert (newest("slip").version, newest("slip").label) == (1, "Slip")
    answer = admin.post(url, {"action": "save", "yaml": GOOD.replace("Slip", "Other")})
    assert answer.status_code == 409
    assert "There is a document type called slip already" in body(answer)


def test_a_file_is_taken_for_the_text_and_not_saved(admin: Any) -> None:
    file = SimpleUploadedFile("r.yaml", text(label="From a file").encode())
    answer = send(admin, "upload", "", file=file)
    assert answer.status_code == 200
    assert "From a file" in body(answer)
    assert newest().label == "Receipt"
    assert "Choose a YAML file first" in body(send(admin, "upload", text()))
    assert "no UTF-8 text" in body(send(admin, "upload", "", file=SimpleUploadedFile("r.yaml", b"\xff\xfe")))


def test_what_a_person_saved_stays_when_the_product_ships_its_types_again(admin: Any) -> None:
    send(admin, "save", text(label="Mine"))
    document_types.ship()
    assert newest().label == "Mine"


def test_unknown_types_and_versions_are_nowhere(admin: Any) -> None:
    urls = (
        "/document-types/nothing/",
        "/document-types/nothing/yaml/",
        f"{URL}yaml/?version=99",
        f"{URL}yaml/?version=x",
    )
    assert [admin.get(url).status_code for url in urls] == [404] * 4


def test_the_admin_shows_the_history_and_leads_to_the_page(admin: Any) -> None:
    assert URL in body(admin.get("/admin/ocr/documenttype/"))
    page = body(admin.get(f"/admin/ocr/documenttype/{newest().pk}/change/"))
    assert "name: merchant" in page and 'name="_save"' not in page
