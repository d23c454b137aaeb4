"""The README shows what was measured, every link leads somewhere, and the citation can be read."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

import kgrel
from tests.docs.pages import PAGES, ROOT

OTHERS = {name: ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/RESULTS.md")}


@pytest.mark.parametrize(("page", "section"), [("README.md", "sections_readme"), ("docs/limits.md", "sections_limits")])
def test_the_table_of_results_is_the_one_made_from_the_measurements(
    page: str, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))  # its scripts import their neighbours by their bare names
    monkeypatch.delitem(sys.modules, "common", raising=False)
    monkeypatch.delitem(sys.modules, section, raising=False)
    text, table = PAGES[page].read_text(encoding="utf-8"), importlib.import_module(section).table()
    assert table.count("\n") > 3
    assert table in text, "run python benchmarks/make_results.py"
    assert importlib.import_module("common").with_results(text, table) == text


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    path = (PAGES | OTHERS)[page]
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("https://", "http://", "#")):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_the_citation_file_names_software_and_paper() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert cited["preferred-citation"]["title"] in " ".join(PAGES["README.md"].read_text(encoding="utf-8").split())


def test_version_citation_and_changelog_are_of_one_release() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## \[(\d\S*)\] - (\S+)$", changes, re.MULTILINE)[0]
    assert newest == (cited["version"], str(cited["date-released"]))
    assert Version(kgrel.__version__) >= Version(cited["version"])


def test_every_page_stands_in_the_index() -> None:
    index = PAGES["docs/index.md"].read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\((\S+?\.md)\)", index))
    assert linked == {Path(page).name for page in PAGES if page.startswith("docs/")} - {"index.md"}
