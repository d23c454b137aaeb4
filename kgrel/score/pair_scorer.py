"""The pair scorer for notebooks and other programs: DataFrame in, DataFrame out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from kgrel.data.errors import KgrelError
from kgrel.score.candidates import Resolver, find_columns, text_of
from kgrel.score.confidence import wanted_of
from kgrel.score.ensemble import Ensemble
from kgrel.score.inductive import InductiveScorer
from kgrel.score.opening import open_scorer
from kgrel.score.scorer import Scorer, added_columns, refuse_clash, score_chunk


class PairScorer:
    """Scores pairs with a trained PAIRS artifact or a baseline.

    Example:
        >>> scorer = PairScorer.load("pairs")                                        # doctest: +SKIP
        >>> scorer.score(pd.DataFrame({"source": ["Gene::207"], "target": ["DOID:1612"]}))  # doctest: +SKIP
    """

    def __init__(self, model: Scorer) -> None:
        self.model = model
        self.resolver = Resolver(model.entities)

    @classmethod
    def load(
        cls, path: str | Path, ensemble: Sequence[str | Path] = (), inductive: str | Path | None = None
    ) -> PairScorer:
        """Open a PAIRS artifact or a baseline.

        Args:
            ensemble: further PAIRS artifacts of other seeds, whose scores are averaged with those of the first.
            inductive: INDUCTIVE artifact, for entities that no context names.

        Raises:
            ArtifactError: one is missing, damaged, or of another kind.
            KgrelError: the members of the ensemble, or PAIRS and INDUCTIVE, do not fit together.
        """
        if inductive is not None:
            if ensemble:
                raise KgrelError("an ensemble has several embeddings of an entity; leave out --inductive or --ensemble")
            return cls(InductiveScorer.load(path, inductive))
        return cls(Ensemble.load([path, *ensemble]) if ensemble else open_scorer(path))

    def score(self, pairs: pd.DataFrame, uncertainty: bool = False, base_rate: Sequence[str] = ()) -> pd.DataFrame:
        """The same rows with the added columns of :data:`kgrel.score.scorer.ADDED`.

        Args:
            pairs: columns ``source`` and ``target`` (or ``head``/``tail`` …), optionally their types.
            uncertainty: add the columns of :data:`kgrel.score.confidence.UNCERTAINTY` as well.
            base_rate: ``CLASS=RATE`` or ``RATE``, the share of these pairs that is expected to be listed.

        Raises:
            KgrelError: a column is missing, or would be overwritten; a base rate that is none.
        """
        names = [str(name) for name in pairs.columns]
        columns = find_columns(names, "the DataFrame")
        wanted = wanted_of(self.model, self.model.classes, uncertainty, base_rate)
        refuse_clash(names, "", "the DataFrame", added_columns(self.model, wanted))
        used = [n for n in (columns.source, columns.target, columns.source_type, columns.target_type) if n]
        table = pa.table({name: identifiers(pairs[name]) for name in used})
        scored = score_chunk(self.model, self.resolver, table, columns, wanted)
        added = {name: column.to_pandas() for name, column in scored.columns.items()}
        return pairs.assign(**{name: values.to_numpy() for name, values in added.items()})


def identifiers(column: pd.Series) -> pa.Array:
    """A column as text; it may hold numbers and text together."""
    values, missing = column.astype(object).tolist(), column.isna().tolist()
    texts = [None if absent else text_of(value) for value, absent in zip(values, missing, strict=True)]
    return pa.array(texts, pa.string())
