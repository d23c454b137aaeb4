"""The same world with text that says nothing about its entities: a control that a text model must fail on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kgrel.synthetic.world import World


def shuffled_text(world: World, seed: int = 0) -> World:
    """Permute the frames among the sentences whose slots have the same types.

    Words, frame lengths, mentions, co-mention counts, documents, labels and candidates all stay; only which
    sentence a pair stands in is left to chance.
    """
    rng = np.random.default_rng(seed)
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, sentence in enumerate(world.sentences):
        groups.setdefault(tuple(world.entities[entity].type for entity in sentence.entities), []).append(row)
    sentences = list(world.sentences)
    for rows in groups.values():
        for row, donor in zip(rows, rng.permutation(rows).tolist(), strict=True):
            given = world.sentences[donor]
            sentences[row] = replace(sentences[row], frame=given.frame, metaedge=given.metaedge, denied=given.denied)
    return replace(world, sentences=tuple(sentences))
