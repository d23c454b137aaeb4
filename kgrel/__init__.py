"""kgrel: link prediction and relation extraction for biomedical knowledge graphs.

Importing this package loads no torch; each station of the line is its own sub-package. The names of :data:`NAMES` are
those that a notebook needs (docs/python.md); each is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

NAMES = {
    "build_corpus": "kgrel.text.build",
    "Corpus": "kgrel.text.corpus",
    "pretrain": "kgrel.train.pretrain",
    "Representation": "kgrel.model.representation",
    "train_pairs": "kgrel.train.train_pairs",
    "PairScorer": "kgrel.score.pair_scorer",
    "evaluate_pairs": "kgrel.evaluate.pairs",
    "RelationIndex": "kgrel.search.index",
    "Graph": "kgrel.graph.graph",
    "KgrelError": "kgrel.data.errors",
}
"""Name → the module that defines it. Type checkers read ``__init__.pyi``."""
__all__ = ["__version__", *NAMES]


def __getattr__(name: str) -> Any:
    """Load one of :data:`NAMES`."""
    if name not in NAMES:
        raise AttributeError(f"module 'kgrel' has no attribute {name!r}")
    return getattr(import_module(NAMES[name]), name)


def __dir__() -> list[str]:
    """What is there, loaded or not."""
    return sorted({*globals(), *NAMES})
