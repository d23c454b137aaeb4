"""Input on which a parser once stumbled, and good input cut short anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fuzz.hostile import BAD_LINES, CONTENTS
from tests.fuzz.parsers import PARSERS, try_input
from tests.fuzz.places import VALID

CRASHES = sorted(Path(__file__).with_name("crashes").iterdir())


@pytest.mark.parametrize("crash", CRASHES, ids=lambda path: path.name)
def test_what_once_crashed_a_parser_does_no_more(crash: Path, tmp_path: Path) -> None:
    name = max((name for name in PARSERS if crash.name.startswith(f"{name}-")), key=len)
    try_input(PARSERS[name], crash.read_bytes(), tmp_path / f"given{PARSERS[name].ending}")


@pytest.mark.parametrize("name", PARSERS)
def test_good_input_cut_short_anywhere_is_read_or_refused_by_name(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]
    good = VALID[parser.kind][parser.ending][:600]
    for length in range(0, len(good), 7):
        try_input(parser, good[:length], tmp_path / f"given{parser.ending}")


@pytest.mark.parametrize("name", PARSERS)
def test_hostile_input_is_read_or_refused_by_name_and_a_bad_line_by_its_number(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]
    for what, change in CONTENTS.items():
        content = change(VALID[parser.kind][parser.ending])
        message = try_input(parser, content, tmp_path / f"given{parser.ending}")
        assert not message or what not in BAD_LINES or re.search(r"\bline [1-9]", message), (what, message)
