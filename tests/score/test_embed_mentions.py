from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from kgrel.data.errors import KgrelError
from kgrel.model.noise import common_noise
from kgrel.model.representation import Representation
from kgrel.score.embed_mentions import embed_file, open_encoder
from kgrel.text.mention_readers import MentionReader
from kgrel.text.mentions import context_words, mark_finder, statement_of
from kgrel.train.batches import Stream, torch_seed

SENTENCE = "the @GENE$ gene and @DISEASE$ ."


def test_each_row_has_its_z(mentions_path: Path, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"sentence\n{SENTENCE}\nnothing\n")
    model = open_encoder(mentions_path, samples=3)
    embed_file(model, MentionReader(tmp_path / "s.csv"), tmp_path / "z.parquet", all_samples=True)
    first, second = pq.read_table(tmp_path / "z.parquet").to_pylist()
    samples = np.array(first["z_samples"]).reshape(3, -1)
    assert np.allclose(samples.mean(axis=0), first["z"], atol=1e-6)
    assert len(first["z"]) == model.classifier.dimensions.z
    assert (second["z"], second["z_samples"], second["status"]) == (None, None, "no_mark")
    with pytest.raises(KgrelError, match="needs parquet or jsonl"):
        embed_file(model, MentionReader(tmp_path / "s.csv"), tmp_path / "z.csv")


def test_a_sentence_stands_in_the_space_of_pairs(representation_path: Path) -> None:
    """With the types as entities, z is what the pretrained model itself gives."""
    model, representation = open_encoder(representation_path, samples=2), Representation.open(representation_path)
    statement = statement_of(SENTENCE, mark_finder(())(SENTENCE))
    assert not isinstance(statement, str)
    words = context_words(statement)
    assert words is not None
    z = model.relations(model.encode([words[0]], [statement.types]))
    source = representation.model
    means = [
        torch.nn.functional.normalize(source.entity_embedding.weight, dim=-1)[
            [row for row, name in enumerate(representation.entities.types) if name == kind]
        ].mean(0)
        for kind in statement.types
    ]
    rows = {word: row for row, word in enumerate(representation.words)}
    tokens = torch.tensor([[rows.get(word, 1) for word in words[0]]])
    noise = common_noise(source.dimensions, 2, torch_seed(0, Stream.PREDICTION))
    with torch.no_grad():
        source.entity_embedding.weight[:2] = torch.stack(means)
        expected = source.sample_contexts(torch.tensor([0]), torch.tensor([1]), tokens, *noise)
    torch.testing.assert_close(torch.from_numpy(z), expected)
