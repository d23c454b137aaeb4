"""p(type | context): a bidirectional LSTM over the words around a mention, whose name is hidden.

    h_before = LSTM(words before the mention, first to last)          (B, H)
    h_behind = LSTM(words behind the mention, last to first)          (B, H)
    p(type | context) = softmax( W₂ ReLU( W₁ [h_before, h_behind] ) )  (B, C)

These are the states of a bidirectional LSTM at the mention: each half is read towards it. The first class is NONE: a
mention of no type, such as an abbreviation of something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kgrel.data.artifact import Artifact, Kind, open_artifact, opens_artifact, read_json
from kgrel.data.errors import ArtifactError
from kgrel.data.files import canonical_json, write_text
from kgrel.model.representation import load_weights, save_weights
from kgrel.text.disambiguation import Question
from kgrel.text.tokens import tokenize
from kgrel.text.windows import PAD, WindowWords, window

WEIGHTS, WORDS, MODEL = "weights.safetensors", "words.json", "typing.json"
TILE = 64
"""Mentions computed at once, always so many: an answer may not depend on how many are asked together."""


@dataclass(frozen=True)
class TypingShape:
    """Sizes of the classifier."""

    width: int
    """Words read on either side of the mention."""
    embedding: int
    """Size of the word embeddings."""
    hidden: int
    """Size H of either LSTM and of the layer behind them."""


class TypeClassifier(nn.Module):
    """The network of :mod:`kgrel.model.type_classifier`.

    Args:
        words: rows of the word table, row 0 for the padding in front.
        classes: number of classes C.
    """

    def __init__(self, shape: TypingShape, words: int, classes: int) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(words, shape.embedding, padding_idx=PAD)
        self.before = nn.LSTM(shape.embedding, shape.hidden, batch_first=True)
        self.behind = nn.LSTM(shape.embedding, shape.hidden, batch_first=True)
        self.hidden = nn.Linear(2 * shape.hidden, shape.hidden)
        self.output = nn.Linear(shape.hidden, classes)

    def forward(self, windows: Tensor) -> Tensor:
        """log p(type | context), (B, C), for word rows (B, 2 × width), see :func:`kgrel.text.windows.window`."""
        words = self.embedding(windows)  # (B, 2W, E)
        _, (before, _) = self.before(words[:, : self.shape.width])
        _, (behind, _) = self.behind(words[:, self.shape.width :])
        states = torch.cat([before[0], behind[0]], dim=-1)  # (B, 2H)
        return F.log_softmax(self.output(F.relu(self.hidden(states))), dim=-1)


@dataclass
class Typing:
    """A trained classifier with its word table: a :class:`kgrel.text.disambiguation.Disambiguator`.

    Attributes:
        classes: NONE first, then the types.
        thresholds: [C − 1], for each type the probability that must be exceeded for a name that it alone has.
    """

    classifier: TypeClassifier
    words: WindowWords
    classes: list[str]
    thresholds: npt.NDArray[np.float64]
    artifact: Artifact | None = None

    def write(self, directory: Path) -> None:
        """Write the files of the artifact."""
        save_weights(self.classifier.state_dict(), directory / WEIGHTS)
        self.words.write(directory / WORDS)
        shape = {"shape": asdict(self.classifier.shape), "classes": self.classes}
        shape |= {"thresholds": self.thresholds.tolist()}
        write_text(directory / MODEL, canonical_json(shape))

    @classmethod
    @opens_artifact
    def open(cls, path: str | Path, verify: bool = True) -> Typing:
        """Open a TYPING artifact.

        Raises:
            ArtifactError: see :func:`kgrel.data.artifact.open_artifact`; or files that do not fit together.
        """
        artifact = open_artifact(path, Kind.TYPING, verify)
        words, model = WindowWords.read(artifact.file(WORDS)), read_json(artifact, MODEL)
        try:
            shape, classes = TypingShape(**model["shape"]), list(map(str, model["classes"]))
            thresholds = np.array(model["thresholds"], np.float64)
            if thresholds.shape != (len(classes) - 1,):
                raise ValueError(f"{len(classes)} classes but {thresholds.size} thresholds")
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"{artifact.path}: {MODEL} is damaged ({error}); train the classifier again") from None
        classifier = TypeClassifier(shape, len(words), len(classes))
        load_weights(classifier, artifact, WEIGHTS)
        return cls(classifier.eval(), words, classes, thresholds, artifact)

    def __reduce__(self) -> str | tuple[Any, ...]:
        # A worker process opens the artifact itself; it was verified here.
        assert self.artifact is not None, "only a classifier that was written can be sent to another process"
        return Typing.open, (self.artifact.path, False)

    @property
    def hash(self) -> str:
        """Hash of the artifact."""
        assert self.artifact is not None
        return self.artifact.hash

    def encode(self, mentions: Sequence[tuple[str, int, int]]) -> npt.NDArray[np.int32]:
        """Word rows (n, 2 × width) of mentions (sentence, first character, character after the last)."""
        rows = np.empty((len(mentions), 2 * self.classifier.shape.width), np.int32)
        last, tokens = "", tokenize("")
        for place, (text, start, end) in enumerate(mentions):
            if text is not last:
                last, tokens = text, tokenize(text)
            spelled = window(text, tokens, (start, end), self.classifier.shape.width)
            rows[place] = [self.words.row(word) for word in spelled]
        return rows

    def probabilities(self, windows: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """p(type | context) for word rows (n, 2 × width) → (n, C), computed on the CPU by one thread."""
        found = np.empty((len(windows), len(self.classes)), np.float64)
        with torch.inference_mode(), one_thread():
            for start in range(0, len(windows), TILE):
                part = windows[start : start + TILE]
                tile = np.full((TILE, windows.shape[1]), PAD, np.int32)
                tile[: len(part)] = part
                found[start : start + len(part)] = self.classifier(torch.from_numpy(tile)).exp()[: len(part)].numpy()
        return found

    def accepts(
        self,
        best: npt.NDArray[np.int64],
        score: npt.NDArray[np.float64],
        p: npt.NDArray[np.float64],
        contested: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.bool_]:
        """Whether the likeliest possible type of each mention is its answer, (n,).

        The type of a contested name must be the likeliest class of all. The name of one entity means it as a rule, so
        that the tuned threshold of its type is enough.

        Args:
            best: (n,) of :func:`likeliest`.
            score: (n,), its probability.
            p: (n, C).
            contested: (n,).
        """
        enough: npt.NDArray[np.bool_] = np.where(contested, score >= p.max(axis=1), score > self.thresholds[best])
        return (best >= 0) & enough

    def decide(self, questions: Sequence[Question]) -> list[str | None]:
        """The likeliest of the types asked for, or None if it is not likely enough: see :meth:`accepts`."""
        p = self.probabilities(self.encode([question[:3] for question in questions]))
        best, score = likeliest([question.types for question in questions], p, self.classes)
        accepted = self.accepts(best, score, p, np.array([question.contested for question in questions], np.bool_))
        return [self.classes[1 + row] if yes else None for row, yes in zip(best.tolist(), accepted, strict=True)]


def likeliest(
    types: Sequence[tuple[str, ...]], p: npt.NDArray[np.float64], classes: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """For each mention the likeliest of its possible types, as its place behind NONE, and the probability.

    Args:
        types: n tuples of types.
        p: (n, C), the column of NONE first.
        classes: C names, NONE first.

    Returns:
        Places (n,), −1 where no type is one of the classes, and probabilities (n,), 0 there.
    """
    places = {name: place for place, name in enumerate(classes[1:])}
    possible = np.zeros((len(types), len(places)), np.bool_)
    for row, names in enumerate(types):
        possible[row, [places[name] for name in names if name in places]] = True
    scores = np.where(possible, p[:, 1:], 0.0)
    best = scores.argmax(axis=1) if len(types) else np.empty(0, np.int64)
    return np.where(possible.any(axis=1), best, -1), scores.max(axis=1, initial=0.0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in another order differ in the last bits, so the number of threads is fixed."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
