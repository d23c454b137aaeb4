"""What type checkers know of the names that ``__init__.py`` loads on demand."""

from kgrel.data.errors import KgrelError as KgrelError
from kgrel.evaluate.pairs import evaluate_pairs as evaluate_pairs
from kgrel.graph.graph import Graph as Graph
from kgrel.model.representation import Representation as Representation
from kgrel.score.pair_scorer import PairScorer as PairScorer
from kgrel.search.index import RelationIndex as RelationIndex
from kgrel.text.build import build_corpus as build_corpus
from kgrel.text.corpus import Corpus as Corpus
from kgrel.train.pretrain import pretrain as pretrain
from kgrel.train.train_pairs import train_pairs as train_pairs

NAMES: dict[str, str]
__version__: str
