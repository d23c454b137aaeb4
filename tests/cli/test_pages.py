"""No page runs what a file says: names, sentences, documents, relations and settings are shown as they are written."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kgrel.apps.explore import server
from kgrel.data.artifact import MANIFEST
from kgrel_cli.main import VERBS, cli
from tests.data.make_artifacts import PLACE as ARTIFACTS

EXPLORE = Path(server.__file__).with_name("page")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>&"
LOADING = {"src", "href", "xlink:href", "data", "action", "formaction", "srcset", "poster"}


class Page(HTMLParser):
    """What a browser would run or load of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.suspicious: list[str] = []
        self.text = ""
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        for name, value in attrs:
            inside = (value or "").startswith(("data:image/png;base64,", "#"))
            if name.startswith("on") or (name in LOADING and not inside):
                self.suspicious.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)
        else:
            self.text += data


def with_names(directory: Path, name: str) -> None:
    """Give every entity an evil name."""
    table = pq.read_table(directory / name)
    names = pa.array([EVIL] * table.num_rows, table.schema.field("name").type)
    pq.write_table(table.set_column(table.column_names.index("name"), table.schema.field("name"), names),
                   directory / name)  # fmt: skip


def with_sentences(directory: Path) -> None:
    """Let every sentence end evilly, and come from an evil document."""
    path = directory / "sentences.arrow"
    table = pa.ipc.open_file(path).read_all()
    texts = pa.array([f"{text} {EVIL}" for text in table.column("text").to_pylist()], pa.string())
    documents = pa.array([EVIL] * table.num_rows, pa.string())
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(pa.table([documents, texts], schema=table.schema))


def with_relations(directory: Path) -> None:
    """Let every pair of an index be listed as something evil."""
    table = pq.read_table(directory / "index-pairs.parquet")
    place = table.column_names.index("relation")
    evil = pa.array([EVIL] * table.num_rows, table.schema.field("relation").type)
    pq.write_table(table.set_column(place, table.schema.field("relation"), evil), directory / "index-pairs.parquet")


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny artifacts with evil texts, and checksums that belong to them."""
    place = tmp_path_factory.mktemp("evil")
    for kind in ("corpus", "pairs", "index", "graph", "mentions"):
        directory = Path(shutil.copytree(ARTIFACTS / kind, place / kind))
        if kind != "mentions":
            with_names(directory, "nodes.parquet" if kind == "graph" else "entities.parquet")
        if kind == "corpus":
            with_sentences(directory)
        if kind == "index":
            with_relations(directory)
        manifest = json.loads((directory / MANIFEST).read_text())
        for name in manifest["files"]:
            manifest["files"][name] = hashlib.sha256((directory / name).read_bytes()).hexdigest()
        manifest["summary"]["<b>evil</b>"] = EVIL
        (directory / MANIFEST).write_text(json.dumps(manifest))
    return place


COMMANDS = {
    "describe-corpus": "E/corpus --html OUT",
    "explain": "E/pairs GENE::1 GENE::2 --corpus E/corpus --graph E/graph --index E/index --html OUT",
    "map-relations": "E/index --html OUT",
    "report": "E/pairs --evaluate --corpus E/corpus --draws 100 --out OUT",
    "explain-mention": "E/mentions <script>alert(1)</script>~@GENE$~causes~@DISEASE$ --html OUT",
}


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_page_runs_and_loads_nothing_of_a_file(
    kgrel: Callable[..., Any], evil: Path, tmp_path: Path, verb: str
) -> None:
    out = tmp_path / "page.html"
    words = COMMANDS[verb].replace("OUT", str(out)).replace("E/", f"{evil}/").split()
    outcome = kgrel(verb, *(word.replace("~", " ") for word in words))
    assert outcome.code == 0, outcome.err
    page = Page()
    page.feed(out.read_text(encoding="utf-8"))
    assert page.suspicious == []
    assert not [script for script in page.scripts if "alert" in script]
    assert "alert" in page.text, "the evil text is not shown, so nothing is tested"


def test_every_verb_that_writes_a_page_is_tried() -> None:
    context = click.Context(cli)
    commands = {verb: cli.get_command(context, verb) for verb in VERBS}
    writing = {verb for verb, command in commands.items() for option in command.params if option.name == "page"}
    assert writing | {"report"} == set(COMMANDS)


def test_the_review_page_never_takes_text_for_mark_up() -> None:
    sources = [path for path in EXPLORE.iterdir() if path.suffix in (".js", ".html")]
    assert {".js", ".html"} == {path.suffix for path in sources}
    for path in sources:
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\(",
                           path.read_text(encoding="utf-8"))  # fmt: skip
        assert found == [], path
