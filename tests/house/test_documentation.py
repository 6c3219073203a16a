"""Promises about the code base itself: what is written down is true, and nothing speaks of where it was made."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ocr import lifecycle
from ocr.models import Status

ROOT = Path(__file__).resolve().parent.parent.parent


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def variables_read() -> set[str]:
    settings = (ROOT / "dtat_site" / "settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', settings)) | {"DATABASE_URL", "DATABASE_OWNER_URL"}


def test_every_variable_that_is_read_is_described() -> None:
    described = (ROOT / "docs" / "configuration.md").read_text()
    assert [name for name in sorted(variables_read()) if f"`{name}`" not in described] == []


def test_every_variable_that_is_described_is_read() -> None:
    described = set(
        re.findall(r"`((?:DTAT|DATABASE|AWS)_[A-Z0-9_]+)`", (ROOT / "docs" / "configuration.md").read_text())
    )
    elsewhere = "".join(path.read_text() for path in (ROOT / "deploy").rglob("*.py"))
    assert [name for name in sorted(described - variables_read()) if name not in elsewhere] == []


def test_every_status_has_a_label_and_a_turn() -> None:
    assert set(lifecycle.TURNS) == set(Status)
    assert all(status.label for status in Status)


def test_the_diagram_of_states_is_fresh() -> None:
    page = (ROOT / "docs" / "states.md").read_text()
    assert lifecycle.diagram() in page, "run manage.py rebuild_states_diagram"


@pytest.mark.parametrize(
    "document", ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_nothing_names_a_machine_or_a_package_host() -> None:
    foreign = re.compile(r"/root/|/home/[a-z]+/|pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian\.org")
    texts = [
        path
        for path in tracked()
        if path.suffix in {".py", ".md", ".txt", ".toml", ".html", ".js", ".css", ".yaml", ""}
    ]
    named = [str(path.relative_to(ROOT)) for path in texts if foreign.search(path.read_text(errors="ignore"))]
    assert [name for name in named if name != "tests/house/test_documentation.py"] == []


def test_templates_hold_no_inline_script_style_or_unsafe_output() -> None:
    unsafe = re.compile(
        r"<script(?![^>]*\b(src|type=\"(application/json|importmap)\")\b)|\son[a-z]+=|\sstyle=|\|safe\b|autoescape off",
        re.IGNORECASE,
    )
    found = [
        str(path.relative_to(ROOT))
        for path in tracked("templates/*.html", "templates/**/*.html")
        if unsafe.search(path.read_text())
    ]
    assert found == []


def test_scripts_build_no_html_from_text() -> None:
    own = tracked("static/js/*.js", "static/js/**/*.js")
    assert own
    unsafe = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [str(path.relative_to(ROOT)) for path in own if unsafe.search(path.read_text())] == []


def test_doors_fetch_through_the_scoped_manager() -> None:
    """A queryset of documents in a door starts with visible_to(user); the functions behind the doors may start from an id."""
    doors = [
        *(ROOT / "ocr" / "api").glob("*.py"),
        ROOT / "ocr" / "views.py",
        ROOT / "review" / "views.py",
        ROOT / "review" / "api.py",
    ]
    starts = re.compile(r"Document\.objects\.(?!visible_to\()")
    assert [path.name for path in doors if starts.search(path.read_text())] == []
