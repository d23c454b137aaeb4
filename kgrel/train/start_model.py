"""The model with which a pretraining starts: fresh, or a pretrained one widened by a newer corpus."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kgrel.data.entities import EntityTable
from kgrel.data.errors import KgrelError
from kgrel.model.presets import SIZES
from kgrel.model.relvm import RELVM
from kgrel.model.representation import Representation
from kgrel.text.corpus import Corpus
from kgrel.text.tokens import SPECIAL_TOKENS
from kgrel.train.batches import Stream, torch_seed
from kgrel.train.settings import PretrainSettings

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowMaps:
    """From rows of the corpus to rows of the model, which differ where a model goes on with a newer corpus."""

    entities: Rows
    words: Rows


def bag_weights(counts: npt.NDArray[np.int64], smoothing: float, special: int) -> Tensor:
    """a / (a + frequency) for each word (Arora et al. 2017), 0 for the special tokens: (V,)."""
    frequencies = counts / max(1, counts.sum())
    weights = smoothing / (smoothing + frequencies)
    weights[:special] = 0.0
    return torch.from_numpy(weights.astype(np.float32))


def type_table(entities: EntityTable) -> tuple[EntityTable, Rows]:
    """The types as entities, and each entity's row in it."""
    types = sorted(set(entities.types))
    table = EntityTable(types, types, types, [[] for _ in types])
    return table, np.array([types.index(t) for t in entities.types], dtype=np.int64)


def appended(known: list[Any], new: list[Any]) -> tuple[list[Any], Rows]:
    """``known`` followed by what ``new`` adds, and the row of each of ``new`` in it."""
    rows = {value: row for row, value in enumerate(known)}
    for value in new:
        rows.setdefault(value, len(rows))
    return list(rows), np.array([rows[value] for value in new], dtype=np.int64)


def start_model(
    corpus: Corpus, settings: PretrainSettings, init_from: Representation | None
) -> tuple[Representation, RowMaps]:
    """A fresh model, or a pretrained one widened by the corpus' new words and entities."""
    entities, entity_rows = corpus.entities, np.arange(len(corpus.entities))
    by_type = settings.entities == "type"
    if by_type:
        entities, entity_rows = type_table(corpus.entities)
    words, word_rows = corpus.words, np.arange(len(corpus.words))
    dimensions = dataclasses.replace(SIZES[settings.size], latents=settings.latents)
    if init_from is not None:
        if init_from.by_type != by_type or init_from.model.dimensions != dimensions:
            raise KgrelError(
                "--init-from: the representation has another --size, --latents or --entities than asked for"
            )
        known = list(zip(init_from.entities.types, init_from.entities.ids, strict=True))
        keys, rows = appended(known, list(zip(entities.types, entities.ids, strict=True)))
        entity_rows = rows[entity_rows]
        entities = merged_entities(init_from.entities, entities, keys)
        words, word_rows = appended(init_from.words, corpus.words)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(settings.seed, Stream.INITIALISATION))
        model = RELVM(
            dimensions,
            len(entities),
            len(words),
            bag_of_words=settings.bag_weight > 0,
            initialisation=settings.initialisation,
            latent=settings.latent_in_use,
        )
    if init_from is not None:
        copy_rows(init_from.model, model)
        model.restrict(settings.latent_in_use)  # a mixture may go on as one Gaussian
    counts = np.zeros(len(words), dtype=np.int64)
    counts[word_rows] = corpus.word_counts
    model.bag_weights.copy_(bag_weights(counts, settings.bag_smoothing, len(SPECIAL_TOKENS)))  # type: ignore[operator]
    return Representation(model, entities, words, by_type), RowMaps(entity_rows, word_rows)


def merged_entities(old: EntityTable, new: EntityTable, keys: list[tuple[str, str]]) -> EntityTable:
    """The entities of ``keys``, with the newer table's names where both have one."""
    details = {
        (t, i): (name, others)
        for table in (old, new)
        for t, i, name, others in zip(table.types, table.ids, table.names, table.alternatives, strict=True)
    }
    names, alternatives = zip(*(details[key] for key in keys), strict=True)
    return EntityTable([t for t, _ in keys], [i for _, i in keys], list(names), list(alternatives))


@torch.no_grad()
def copy_rows(source: RELVM, target: RELVM) -> None:
    """Copy every parameter that both models have; tables may be longer in ``target``, old rows come first."""
    given = dict(source.named_parameters())
    for name, parameter in target.named_parameters():
        if name in given:
            parameter[: given[name].shape[0]] = given[name]
