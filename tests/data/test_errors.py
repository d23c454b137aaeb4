"""A stated failure is one sentence that names the place."""

from __future__ import annotations

import pytest

from kgrel.data.errors import ArtifactError, InputError, KgrelError, NonFiniteError, did_you_mean


def test_input_errors_name_file_and_line() -> None:
    assert str(InputError("a.tsv", "is wrong", 3)) == "a.tsv, line 3: is wrong"
    assert str(InputError("a.tsv", "is wrong")) == "a.tsv: is wrong"


@pytest.mark.parametrize("kind", [ArtifactError, InputError, NonFiniteError])
def test_every_stated_failure_is_a_kgrel_error(kind: type[Exception]) -> None:
    assert issubclass(kind, KgrelError)


def test_the_nearest_known_word_is_proposed_if_one_is_near() -> None:
    assert did_you_mean("setings", ["seed", "settings"]) == " (did you mean 'settings'?)"
    assert did_you_mean("x", ["seed", "settings"]) == ""
