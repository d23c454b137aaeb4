"""Of several trainings the best is kept, the first of equal ones; a killed one goes on in the try where it was."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from kgrel.data.artifact import LOG, UNFINISHED
from kgrel.data.progress import Silent
from kgrel.train.loop import LoopSettings
from kgrel.train.run import TRIES, Run
from kgrel.train.tries import Best, train_best
from tests.train.regression import IDENTITY, SETTINGS, Crash, Hook, Regression, crash_at


def best_of(directory: Path, heights: dict[str, float], before: Hook = lambda _: None) -> Best[Regression]:
    """Trainings that validate as high as said, whatever they learn; ``before`` is called in the last one."""

    def attempt(name: str) -> tuple[Regression, LoopSettings]:
        hook = before if name == list(heights)[-1] else lambda _: None
        return Regression(hook, curve=lambda _: heights[name]), SETTINGS

    run = Run(directory, IDENTITY)
    return train_best([(name, partial(attempt, name)) for name in heights], run, Silent(), "toy")


@pytest.mark.parametrize(("heights", "kept"), [((0.1, 0.3, 0.2), "two"), ((0.3, 0.3, 0.3), "one")])
def test_the_best_is_kept_with_its_log(tmp_path: Path, heights: tuple[float, ...], kept: str) -> None:
    best = best_of(tmp_path / "run", dict(zip(("one", "two", "three"), heights, strict=True)))
    assert best.name == kept
    assert [one["validation_average_precision"] for one in best.tried.values()] == list(heights)
    assert {one["steps"] for one in best.tried.values()} == {best.state.step} == {SETTINGS.steps}
    log = (tmp_path / "run" / LOG).read_bytes()
    assert log == (tmp_path / "run" / TRIES / kept / LOG).read_bytes()
    Run(tmp_path / "run", IDENTITY).close()
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOG]


def test_a_killed_run_repeats_no_training_from_its_start(tmp_path: Path) -> None:
    heights = {"one": 0.1, "two": 0.2}
    whole = best_of(tmp_path / "whole", heights)
    with pytest.raises(Crash):
        best_of(tmp_path / "cut", heights, crash_at(10))
    assert (tmp_path / "cut" / UNFINISHED).exists()
    steps: list[int] = []
    cut = best_of(tmp_path / "cut", heights, steps.append)
    assert steps == list(range(10, SETTINGS.steps + 1))
    assert cut.tried == whole.tried
    for name, weight in whole.task.module.state_dict().items():
        assert cut.task.module.state_dict()[name].equal(weight), name
