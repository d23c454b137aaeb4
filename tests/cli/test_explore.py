"""``kgrel explore`` serves until Ctrl-C; ``kgrel export-reviews`` turns its file into relations."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgrel.apps.explore.reviews import Reviews
from kgrel.train.pair_model import PairModel
from tests.cli.conftest import assert_refused

Kgrel = Callable[..., Any]


def test_the_page_is_served_until_it_is_interrupted(pairs_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    command = [sys.executable, "-m", "kgrel_cli", "explore", str(pairs_path), "--port", "0", "--no-browser"]
    command += ["--candidates", "20", "--reviews", str(tmp_path / "reviews.sqlite")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "Ctrl-C" in line)
            found = re.fullmatch(r"20 predictions at (http://127\.0\.0\.1:\d+/); Ctrl-C ends\n", line)
            assert found is not None, line
            with urllib.request.urlopen(f"{found[1]}api/about", timeout=60) as response:
                assert json.load(response)["predictions"] == 20
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert Reviews(tmp_path / "reviews.sqlite").all() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--candidates", "-1"], "candidates must be at least 0, not -1"),
        (["--port", "70000"], "port must be at most 65535, not 70000"),
        (["--host", "no.such.host.invalid", "--port", "0"], "cannot listen on no.such.host.invalid, port 0 .*"),
        (["--predictions", "absent.csv", "--port", "0"], "absent.csv: no such file"),
        (["--graph", "absent", "--port", "0"], "absent: .*"),
    ],
)
def test_what_cannot_be_shown_is_said_before_anything_is_served(
    kgrel: Kgrel, pairs_path: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    pytest.importorskip("uvicorn")
    outcome = kgrel("explore", pairs_path, "--reviews", tmp_path / "reviews.sqlite", "--no-browser", *arguments)
    assert (outcome.code, outcome.out) == (1, b"")
    assert re.search(rf"^kgrel: {sentence}$", outcome.err, re.MULTILINE), outcome.err


def test_reviews_become_relations(kgrel: Kgrel, pairs_path: Path, pair_model: PairModel, tmp_path: Path) -> None:
    entities = pair_model.entities
    ids = [f"{entities.types[row]}::{entities.ids[row]}" for row in (0, len(entities) - 1)]
    Reviews(tmp_path / "reviews.sqlite").put((ids[0], ids[1]), ("", ""), "DISEASE-GENE", "accepted")
    arguments = ("export-reviews", tmp_path / "reviews.sqlite", "--out", tmp_path / "relations.tsv", "--json")
    assert kgrel(*arguments).json["relations"] == 1
    assert kgrel(*arguments, "--overwrite", "--pairs", pairs_path).json["listed"] == len(pair_model.relations[0])
    assert "exists already" in kgrel(*arguments).err


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (None, ".*: no such file; kgrel explore writes one"),
        ("nonsense " * 99, ".*: cannot be used as a file of reviews .*"),
        ("", ".*: nothing is accepted yet, .*"),
    ],
)
def test_a_file_that_holds_no_reviews_is_refused(
    kgrel: Kgrel, out: Path, tmp_path: Path, made: str | None, sentence: str
) -> None:
    if made is not None:
        (tmp_path / "reviews.sqlite").write_text(made)
    assert_refused(
        kgrel("export-reviews", tmp_path / "reviews.sqlite", "--out", out.with_suffix(".tsv")), out, sentence
    )
