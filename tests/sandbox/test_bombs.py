from pathlib import Path

import pytest

from ocr.sandbox import Limits, Sandbox, SandboxFailed, Unacceptable
from tests.sandbox import foreign


def test_a_page_that_inflates_without_end_costs_one_child(sandbox: Sandbox, tmp_path: Path) -> None:
    bomb, good = foreign.flate_bomb(tmp_path / "bomb.pdf"), foreign.pdf(tmp_path / "good.pdf")
    assert bomb.stat().st_size < 100_000
    assert sandbox.inspect(bomb).page_count == 1
    zygote = sandbox.zygote_pid
    with pytest.raises(Unacceptable) as refusal:
        sandbox.render(bomb, page=1, content_type="application/pdf")
    assert refusal.value.code == "too_complex"
    assert sandbox.render(good, page=1, content_type="application/pdf").width > 0
    assert sandbox.zygote_pid == zygote


def test_a_page_that_takes_too_long_is_stopped_although_memory_is_left(tmp_path: Path) -> None:
    short = Sandbox(Limits(memory_bytes=8 * 1024**3, cpu_seconds=1, wall_seconds=120))
    path = foreign.flate_bomb(tmp_path / "a.pdf", megabytes=25)
    with pytest.raises(Unacceptable) as refusal:
        short.render(path, page=1, content_type="application/pdf")
    short.close()
    assert refusal.value.code == "too_complex"


def test_a_picture_that_needs_more_memory_than_a_child_has_is_too_complex(tmp_path: Path) -> None:
    small = Sandbox(Limits(memory_bytes=160 * 1024 * 1024))
    path = foreign.picture(tmp_path / "a.png", size=(7_000, 8_000), mode="RGB", compress_level=1)
    with pytest.raises(Unacceptable) as refusal:
        small.inspect(path)
    small.close()
    assert refusal.value.code == "too_complex"


def test_a_starved_machine_is_no_verdict_about_the_file(tmp_path: Path) -> None:
    hurried = Sandbox(Limits(wall_seconds=0.0))
    with pytest.raises(SandboxFailed) as failure:
        hurried.inspect(foreign.flate_bomb(tmp_path / "a.pdf", megabytes=1))
    hurried.close()
    assert failure.value.code == "starved"


def test_a_form_that_draws_itself_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    head = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A 3 0 R>>>>/Length 5>>"
    form = head + b"stream\n/A Do\nendstream"
    path = foreign.pdf(tmp_path / "a.pdf", stream=form)
    content = path.read_bytes().replace(b"/Contents", b"/Resources<</XObject<</A 3 0 R>>>>/Contents")
    path.write_bytes(content)
    try:
        assert sandbox.render(path, page=1, content_type="application/pdf").width > 0
    except Unacceptable as refusal:
        assert refusal.code in ("too_complex", "damaged")
