from __future__ import annotations

from pathlib import Path

import pytest

from kgrel.synthetic import World, WorldSettings, make_world, write_world


@pytest.fixture(scope="session")
def small_world() -> World:
    return make_world(WorldSettings.small())


@pytest.fixture(scope="session")
def files(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small world on disk: file name → path."""
    return write_world(small_world, tmp_path_factory.mktemp("world"))
