from __future__ import annotations

from kgrel.text.folding import fold
from kgrel.text.stopwords import BUILTIN, read_stop_list


def test_the_builtin_names_are_folded_and_clean() -> None:
    assert all(name == fold(" ".join(name.split())) for name in BUILTIN)
    assert {"was", "impact", "set", "pbs", "protein kinase"} <= BUILTIN


def test_a_stop_list_file_has_one_name_a_line(write) -> None:
    path = write("stop.txt", "# my words\n\nImpact factor\nSET\n")
    assert read_stop_list(path) == {"impact factor", "set"}
