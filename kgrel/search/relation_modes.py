"""``relation-modes``: the modes of one pair, and for each its nearest listed pairs, evidence sentences and words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from kgrel.data.errors import KgrelError
from kgrel.model.noise import common_noise
from kgrel.model.relvm import RELVM
from kgrel.model.representation import Representation
from kgrel.search.answers import answer_rows
from kgrel.search.build import posterior_of
from kgrel.search.index import Query, RelationIndex
from kgrel.search.modes import Floats, Modes, find_modes
from kgrel.search.settings import ModeSettings, SearchSettings
from kgrel.text.corpus import Corpus
from kgrel.text.evidence import EvidenceIndex, find_entity
from kgrel.text.tokens import SPECIAL_TOKENS, Vocabulary
from kgrel.train.batches import Stream, torch_seed

Rows = npt.NDArray[np.int64]
MEMBERS = 16
"""Samples of a mode that ask the index."""
MOST_CONTEXTS = 200


def relation_modes(
    representation: Representation,
    first: str,
    second: str,
    settings: ModeSettings | None = None,
    *,
    index: RelationIndex | None = None,
    corpus: Corpus | None = None,
) -> dict[str, Any]:
    """The modes of p(z|x,y) of a pair.

    Args:
        index: gives the nearest listed pairs; of the same representation.
        corpus: gives the evidence sentences, each told to the mode that q(u|x,y,c) puts it nearest to.

    Returns:
        ``pair``, ``modes`` (share, stability, words, and pairs and sentences where they can be told), ``u`` (share of
        z's variance that u explains, active units of u in pretraining), and ``omitted``: what is not told, and why.

    Raises:
        KgrelError: an entity is not known, or both are the same; a representation of types.
        ArtifactError: the index is of another representation.
    """
    settings = settings or ModeSettings()
    representation.require_identifiers("relation-modes")
    entities = representation.entities
    head, tail = (entities.named(text, "is known to the representation") for text in (first, second))
    if head == tail:
        raise KgrelError(f"{first!r} and {second!r} are the same entity; give two different ones")
    if index is not None and representation.artifact is not None:
        index.require([representation.artifact.hash], str(representation.artifact.path))
    samples, means = sampled(representation.model, head, tail, settings)
    points = said(representation.model, samples)
    modes = find_modes(points, settings)
    told: list[dict[str, Any]] = [
        {"share": float((modes.labels == mode).mean()), "stability": stability}
        for mode, stability in enumerate(modes.stability)
    ]
    for mode, words in enumerate(preferred_words(representation, points, modes, settings.words)):
        told[mode]["words"] = words
    omitted = {}
    if index is None:
        omitted["pairs"] = "no index was given"
    else:
        for mode, pairs in enumerate(listed_neighbours(index, samples, modes, (head, tail), settings)):
            told[mode]["pairs"] = pairs
    reason = unreadable(representation, corpus)
    if reason:
        omitted["sentences"] = reason
    else:
        assert corpus is not None
        for mode, sentences in enumerate(evidence(representation, corpus, (head, tail), modes, settings)):
            told[mode]["sentences"] = sentences
    pretraining = representation.artifact.manifest.summary if representation.artifact else {}
    u = {"share_of_variance": share_of_u(samples, means), "active_units": pretraining.get("validation_u_active_units")}
    pair = [f"{entities.types[row]}::{entities.ids[row]}" for row in (head, tail)]
    names = [entities.names[row] for row in (head, tail)]
    return {"pair": pair, "names": names, "modes": told, "u": u, "omitted": omitted}


@torch.inference_mode()
def sampled(model: RELVM, head: int, tail: int, settings: ModeSettings) -> tuple[Floats, Floats]:
    """Samples of z and the means μ(x,y,u) that they were drawn around: (S, Z) each, independent noise."""
    noise = common_noise(model.dimensions, settings.samples, torch_seed(settings.seed, Stream.PREDICTION), "random")
    device = model.entity_embedding.weight.device
    x, y = (torch.tensor([row], device=device) for row in (head, tail))
    p = model.prior(model.pair_features(x, y), model.prior.draw_u(noise.u.to(device)))
    return array(p.sample(noise.z.to(device))[0]), array(p.mean[0])


def share_of_u(samples: Floats, means: Floats) -> float:
    """Share of the variance of z (S, Z) that its dependence on u explains; near zero, u has collapsed."""
    total = float(samples.var(axis=0).sum())
    return float(means.var(axis=0).sum()) / total if total > 0 else 0.0


def word_logits(model: RELVM, z: Floats) -> Tensor:
    """What z (S, Z) adds to the logit of each word, (S, V); −∞ for words that stand for none.

    By the bag-of-words decoder where there is one, else by the direct path from z to the LSTM decoder's output.
    """
    if model.bag_decoder is not None:
        weight, bias = model.bag_decoder.output.weight, model.bag_decoder.output.bias
    else:
        weight, bias = model.decoder.output.weight[:, -model.dimensions.z :], model.decoder.output.bias
    outputs = F.linear(torch.tensor(z, dtype=weight.dtype, device=weight.device), weight, bias)
    logits: Tensor = outputs @ model.word_embedding.weight.T
    if model.bag_decoder is not None:
        logits = logits + F.pad(model.bag_decoder.bias, (1, 0))
    logits[:, : len(SPECIAL_TOKENS)] = -torch.inf
    return logits


@torch.inference_mode()
def said(model: RELVM, z: Floats) -> Floats:
    """√p(w|z) for z (S, Z), (S, V): Euclidean distances are √2 times Hellinger's between the word distributions."""
    return array(word_logits(model, z).softmax(-1).sqrt())


def array(tensor: Tensor) -> Floats:
    """A tensor as float64."""
    return np.asarray(tensor.cpu().numpy(), np.float64)


def preferred_words(representation: Representation, points: Floats, modes: Modes, count: int) -> list[list[str]]:
    """The words that tell a mode most from all samples, or one mode alone from z = 0: largest p log(p / p beside).

    ``points`` are √p(w|z), (S, V), as :func:`said` gives them.
    """
    words = points**2
    none = np.zeros((1, representation.model.dimensions.z))
    beside = words.mean(axis=0) if len(modes) > 1 else said(representation.model, none)[0] ** 2
    told = []
    for mode in range(len(modes)):
        own = words[modes.labels == mode].mean(axis=0)
        gain = own * np.log(np.maximum(own, 1e-30) / np.maximum(beside, 1e-30))
        told.append([representation.words[row] for row in np.argsort(-gain, kind="stable")[:count].tolist()])
    return told


def listed_neighbours(
    index: RelationIndex, samples: Floats, modes: Modes, pair: tuple[int, int], settings: ModeSettings
) -> list[list[dict[str, object]]]:
    """The listed pairs nearest to some samples of each mode."""
    unlisted = np.array([name is None for name in index.pairs.relations])
    if unlisted.all():
        return [[] for _ in range(len(modes))]
    queries = [Query(samples[modes.labels == mode][:MEMBERS], *pair) for mode in range(len(modes))]
    wanted = SearchSettings(top=min(settings.neighbours, index.pairs.live), distance="mean")
    return [answer_rows(index, found) for found in index.search(queries, wanted, leave_out=unlisted)]


def unreadable(representation: Representation, corpus: Corpus | None) -> str:
    """Why no evidence sentences can be told; empty if they can."""
    if corpus is None:
        return "no corpus was given"
    posterior = posterior_of(representation)
    if posterior != "recogniser":
        return f"the representation was pretrained with posterior {posterior}, so nothing can read a sentence"
    return ""


@torch.inference_mode()
def evidence(
    representation: Representation,
    corpus: Corpus,
    pair: tuple[int, int],
    modes: Modes,
    settings: ModeSettings,
) -> list[list[dict[str, object]]]:
    """Sentences of a corpus that name both entities, told to the mode nearest to what μ(x, y, E[u|x,y,c]) says."""
    entities, told = representation.entities, [[] for _ in range(len(modes))]  # type: ignore[var-annotated]
    words = Vocabulary(representation.words, np.zeros(len(representation.words), np.int64))
    try:
        rows = [find_entity(corpus, f"{entities.types[row]}::{entities.ids[row]}") for row in pair]
    except KgrelError:
        return told  # an entity that the corpus does not know has no sentences in it
    contexts = EvidenceIndex.of(corpus).contexts(*rows)[:MOST_CONTEXTS]
    x, y = (torch.tensor([row]) for row in pair)
    for context in contexts.tolist():
        found = corpus.sentence_of(context)
        tokens = words.encode_context(found.text, found.head, found.tail)
        if tokens is None:
            continue
        turned = corpus.contexts.row(context).head != rows[0]
        first, second = (y, x) if turned else (x, y)
        u = representation.model.recognise(first, second, torch.tensor([tokens])).mean
        mean = representation.model.prior(representation.model.pair_features(x, y), u.unsqueeze(1)).mean[0]
        mode = int(modes.nearest(said(representation.model, array(mean)))[0])
        if len(told[mode]) < settings.sentences:
            told[mode].append({"doc_id": found.doc_id, "sentence": found.text})
    return told
