"""The page of a run shows its curves and settings, escapes what it shows, and needs nothing from elsewhere."""

from __future__ import annotations

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kgrel.data.artifact import LOG, MANIFEST, UNFINISHED
from kgrel.data.errors import ArtifactError, KgrelError
from kgrel.evaluate.report import curves, write_report


class Page(HTMLParser):
    """Tags, what they load, and text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags, self.loads, self.text = list[str](), list[str](), ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def test_the_page_of_a_representation(representation_path: Path, tmp_path: Path) -> None:
    found = write_report(representation_path, tmp_path / "page.html")
    page = Page(tmp_path / "page.html")
    assert found == {"validations": 2, "step": 30, "finished": True}
    assert page.tags.count("svg") == 1
    assert all(link.startswith("#") for link in page.loads)
    settings = json.loads((representation_path / MANIFEST).read_text())["settings"]
    assert all(name in page.text for name in (*settings, "validation_elbo", "z_active_units", "u_information"))


def test_a_figure_that_is_zero_throughout_has_no_curve() -> None:
    log = [{"step": step, "loss": 1.0 / step, "validation_kl": 0.0} for step in (1.0, 2.0)]
    assert curves(log).count("<!-- Loss -->") == 1
    assert "KL" not in curves(log)
    assert "KL" in curves([*log, {"step": 3.0, "validation_kl": 0.5}])


def test_the_page_of_a_classifier(pairs_path: Path, tmp_path: Path) -> None:
    assert write_report(pairs_path, tmp_path / "page.html")["finished"]
    assert "stop" in Page(tmp_path / "page.html").text


def test_an_unfinished_run_has_a_page_too_also_before_the_first_validation(tmp_path: Path) -> None:
    run = tmp_path / "a<b>&c"
    run.mkdir()
    (run / UNFINISHED).write_text(json.dumps({"settings": {"note": "<script>alert(1)</script>"}}))
    assert write_report(run, tmp_path / "one.html") == {"validations": 0, "step": 0, "finished": False}
    (run / LOG).write_text('{"step": 5, "loss": 1.5}\n{"step": 10, "loss"')  # the line that is being written
    assert write_report(run, tmp_path / "two.html") == {"validations": 1, "step": 5, "finished": False}
    for name in ("one", "two"):
        page = Page(tmp_path / f"{name}.html")
        assert not {"script", "b"} & set(page.tags)
        assert "<script>alert(1)</script>" in page.text
        assert "a<b>&c: unfinished" in page.text


def test_an_existing_page_is_kept_without_overwrite(representation_path: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(KgrelError, match="exists already"):
        write_report(representation_path, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "mine"
    write_report(representation_path, tmp_path / "page.html", overwrite=True)


def test_what_is_no_run_or_damaged_is_refused_by_name(representation_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no run of pretrain or train-pairs"):
        write_report(tmp_path, tmp_path / "page.html")
    damaged = tmp_path / "damaged"
    shutil.copytree(representation_path, damaged)
    (damaged / LOG).write_text('{"loss": 1}\n{"step": 2, "loss": 1}\n')
    with pytest.raises(ArtifactError, match=r"log\.jsonl: line 1 is damaged"):
        write_report(damaged, tmp_path / "page.html")
    (damaged / MANIFEST).write_text("[")
    with pytest.raises(ArtifactError, match=r"manifest\.json is damaged"):
        write_report(damaged, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
