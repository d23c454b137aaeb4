"""The generated world behind the demo and the tests: entities, planted relations, and text about them.

Every file that :func:`write_world` writes has the format of the real data, so every step that runs on the
generated world runs on real files unchanged.
"""

from __future__ import annotations

from kgrel.synthetic.shuffle import shuffled_text
from kgrel.synthetic.world import World, make_world
from kgrel.synthetic.world_files import write_world
from kgrel.synthetic.world_settings import WorldSettings

__all__ = ["World", "WorldSettings", "make_world", "shuffled_text", "write_world"]
