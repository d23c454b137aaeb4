"""``embed-mentions``: samples of z for each sentence, in the space in which the representation has its pairs.

z ~ ∫ q(u|x,y,c) p(z|x,y,u) du comes from the same prior network as the z of a pair, so sentences can be searched for
among pairs, or clustered with them. A MENTIONS artifact whose prior was trained on has a space of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kgrel.data.artifact import Kind, kind_of
from kgrel.data.errors import KgrelError
from kgrel.data.progress import Progress, Silent
from kgrel.data.tables import Format, refuse_output, write_table
from kgrel.model.mentions import MentionClassifier
from kgrel.model.relvm import RELVM
from kgrel.model.representation import Representation
from kgrel.score.mentions import prepare
from kgrel.score.scorer import refuse_clash, spread
from kgrel.text.mention_readers import MentionReader
from kgrel.train.mention_model import MentionModel
from kgrel.train.mention_settings import MentionSettings
from kgrel.train.train_mentions import inherit

LISTS: tuple[Format, ...] = ("parquet", "jsonl")
"""Formats that hold a column of vectors."""


@dataclass
class EmbedSummary:
    """What embedding an input gave."""

    rows: int = 0
    status: dict[str, int] = field(default_factory=dict)
    dimension: int = 0
    samples: int = 0


def open_encoder(path: str | Path, samples: int = 0, seed: int = 0) -> MentionModel:
    """A MENTIONS artifact, or a REPR of types or identifiers, as what encodes sentences.

    A representation of identifiers gives each type the mean of its entities' unit vectors.

    Args:
        samples: samples of z a sentence; 0 = those of the artifact, 8 of a representation.
        seed: of the noise of a representation.

    Raises:
        KgrelError: an artifact of another kind, or a representation whose recogniser was not trained.
    """
    if kind_of(path, "mentions or representation") == Kind.MENTIONS:
        model = MentionModel.open(path)
        if samples:
            model.settings = changed_samples(model.settings, samples)
        return model
    representation = Representation.open(path)
    assert representation.artifact is not None
    if representation.artifact.manifest.settings.get("posterior") != "recogniser":
        raise KgrelError(f"{path}: was pretrained without the recogniser; pretrain with --posterior recogniser")
    types = sorted(set(representation.entities.types))
    words = representation.words
    full = RELVM(representation.model.dimensions, len(types), len(words))
    inherit(representation, types, full)
    encoder = MentionClassifier(full.dimensions, len(types), len(words), classes=2)
    encoder.take(full)
    possible = np.ones((len(types), len(types), 2), np.bool_)
    settings = changed_samples(MentionSettings(seed=seed), samples or MentionSettings().prediction_samples)
    return MentionModel(encoder.eval(), words, types, ["NO-RELATION", "any"], possible, settings)


def changed_samples(settings: MentionSettings, samples: int) -> MentionSettings:
    """The settings with another number of samples at prediction."""
    return replace(settings, prediction_samples=samples)


def embed_file(
    model: MentionModel,
    reader: MentionReader,
    out: str | Path,
    *,
    all_samples: bool = False,
    output_format: Format | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> EmbedSummary:
    """Write each row of an input with ``z``, the mean over samples (Z,), and its ``status``.

    Args:
        all_samples: write ``z_samples`` as well, the samples one after another (S·Z,).

    Raises:
        KgrelError: the input cannot be read; the output cannot hold vectors, or exists.
    """
    added = {"z": pa.list_(pa.float32())} | ({"z_samples": pa.list_(pa.float32())} if all_samples else {})
    added |= {"status": pa.string()}
    refuse_clash(reader.schema.names, "", reader.path, added)
    schema = pa.schema([*reader.schema, *(pa.field(name, type_) for name, type_ in added.items())])
    if refuse_output(out, schema, output_format, overwrite) not in LISTS:
        raise KgrelError(f"{out}: a column of vectors needs parquet or jsonl")
    summary = EmbedSummary(dimension=model.classifier.dimensions.z, samples=model.settings.prediction_samples)
    (progress or Silent()).start("embed-mentions", None)
    with write_table(out, schema, output_format, overwrite) as writer:
        for chunk in reader.chunks():
            prepared, table = prepare(model, chunk), chunk.table
            z = model.relations(prepared.encoded)  # (n, S, Z)
            columns: dict[str, Any] = {
                "z": list(z.mean(axis=1)),
                "z_samples": list(z.reshape(len(z), z.shape[1] * z.shape[2])),
            }
            for name, type_ in added.items():
                size = len(chunk.read)
                values = prepared.status if name == "status" else listed(columns[name], prepared.rows, size)
                table = table.append_column(name, pa.array(values, type_))
            writer.write(table.cast(schema))
            summary.rows += table.num_rows
            for status in prepared.status:
                summary.status[status] = summary.status.get(status, 0) + 1
            (progress or Silent()).advance(table.num_rows)
    return summary


def listed(vectors: list[Any], rows: Any, size: int) -> list[Any]:
    """Vectors at some of ``size`` rows, None elsewhere."""
    place = spread(np.arange(len(rows)), rows, size)
    return [None if p is None else vectors[p] for p in place]
