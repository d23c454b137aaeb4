"""``build-corpus``: sentences and lexicons in, a CORPUS artifact out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kgrel.data.artifact import Artifact, Draft, Kind, Manifest, create_artifact, open_artifact
from kgrel.data.entities import EntityTable, canonical_type, class_of_types
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import open_input, sha256_of
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.text.badlines import BadLines
from kgrel.text.contexts import CONTEXT_SCHEMA, SENTENCE_SCHEMA, ContextStore, RowWriter
from kgrel.text.corpus import CONTEXTS, ENTITIES, PAIRS, SENTENCES, VOCABULARY
from kgrel.text.extract import Extractor
from kgrel.text.lexicon import Lexicon, build_lexicon, read_lexicon
from kgrel.text.pairs import PairCounts
from kgrel.text.sentences import read_sentences
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Tagger
from kgrel.text.tokens import SPECIAL_TOKENS, UNK, Vocabulary

FREQUENT_NAMES = 40
REPORT_EVERY = 5_000
DRAFT = "contexts.draft.arrow"


def build_corpus(
    sentences: Sequence[Path],
    lexicons: Sequence[tuple[str, Path]],
    out: Path,
    settings: BuildCorpusSettings | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Artifact:
    """Tag sentences, pair the entities of each, and store the contexts. Same input, same bytes.

    Args:
        sentences: files read by :func:`kgrel.text.sentences.read_sentences`.
        lexicons: (type, file) of each lexicon, see :func:`kgrel.text.lexicon.read_lexicon`.
        out: the directory to write; its manifest's ``summary`` holds the counts.
        overwrite: replace an artifact that is there.

    Returns:
        The artifact, to be read with :class:`kgrel.text.corpus.Corpus`.

    Raises:
        KgrelError: ``out`` exists, no input is given, or no sentence names two entities.
        InputError: an input cannot be used; nothing is left behind then.
    """
    settings, progress = settings or BuildCorpusSettings(), progress or Silent()
    if not sentences or not lexicons:
        raise KgrelError("a corpus needs at least one file of sentences and at least one lexicon")
    manifest = Manifest(Kind.CORPUS, to_json(settings), parents=_input_hashes(sentences, lexicons))
    with create_artifact(out, manifest, overwrite) as draft:
        lexicon, bad_rows = _read_lexicons(lexicons, settings, progress)
        extractor, bad_lines = _extract(sentences, lexicon, draft.path, settings, progress)
        draft.summary |= _summary_of_lexicon(lexicon, bad_rows) | _summary_of_input(extractor, bad_lines, lexicon)
        _encode(draft, extractor, lexicon, settings, progress)
    artifact = open_artifact(out, Kind.CORPUS, verify=False)
    _tell(artifact.manifest.summary, progress)
    return artifact


def _input_hashes(sentences: Sequence[Path], lexicons: Sequence[tuple[str, Path]]) -> dict[str, str]:
    """Role → SHA-256 of each input file."""
    roles = [(f"sentences-{number}", path) for number, path in enumerate(sentences, start=1)]
    roles += [
        (f"lexicon-{number}-{canonical_type(kind)}", path) for number, (kind, path) in enumerate(lexicons, start=1)
    ]
    hashes = {}
    for role, path in roles:
        if str(path) == "-":
            raise KgrelError("build-corpus records the hash of each input, so none can be standard input")
        with open_input(path):
            hashes[role] = sha256_of(Path(path))
    return hashes


def _read_lexicons(
    lexicons: Sequence[tuple[str, Path]], settings: BuildCorpusSettings, progress: Progress
) -> tuple[Lexicon, BadLines]:
    progress.start("reading lexicons", len(lexicons))
    bad, terms = BadLines(settings.strict), []
    for kind, path in lexicons:
        terms += read_lexicon(kind, path, settings, bad)
        progress.advance(1)
    return build_lexicon(terms, settings), bad


def _extract(
    sentences: Sequence[Path],
    lexicon: Lexicon,
    directory: Path,
    settings: BuildCorpusSettings,
    progress: Progress,
) -> tuple[Extractor, BadLines]:
    """First pass: write the sentences and the contexts with provisional numbers."""
    progress.start("tagging sentences", None)
    bad = BadLines(settings.strict)
    with (
        RowWriter(directory / SENTENCES, SENTENCE_SCHEMA) as kept,
        RowWriter(directory / DRAFT, CONTEXT_SCHEMA) as contexts,
    ):
        extractor = Extractor(Tagger(lexicon), settings, kept, contexts)
        waiting = 0
        for path in sentences:
            for sentence in read_sentences(path, bad):
                extractor.add(sentence)
                waiting += 1
                if waiting == REPORT_EVERY:
                    progress.advance(waiting, f"{contexts.count:,} contexts")
                    waiting = 0
        progress.advance(waiting, f"{contexts.count:,} contexts")
        if not contexts.count:
            files = ", ".join(str(path) for path in sentences)
            raise InputError(
                files,
                "no sentence names two different entities of the lexicons; check that they fit together",
            )
    return extractor, bad


def _encode(
    draft: Draft, extractor: Extractor, lexicon: Lexicon, settings: BuildCorpusSettings, progress: Progress
) -> None:
    """Second pass: choose words and entities, and renumber the contexts."""
    provisional = ContextStore.open(draft.path / DRAFT)
    used = np.union1d(provisional.heads, provisional.tails).tolist()
    used.sort(key=lambda entity: (lexicon.terms[entity].type, lexicon.terms[entity].id))
    entity_rows = np.zeros(len(lexicon.terms), np.int32)
    entity_rows[used] = np.arange(len(used))
    entities = lexicon.table(used)
    vocabulary = Vocabulary.of_counts(
        extractor.tally.word_counts, settings.vocabulary_size, settings.min_count, len(provisional)
    )
    word_rows = _word_rows(extractor, vocabulary)
    progress.start("writing contexts", len(provisional))
    unknown = 0
    with RowWriter(draft.path / CONTEXTS, CONTEXT_SCHEMA) as writer:
        for batch in provisional.batches:
            renumbered = _renumber(batch, entity_rows, word_rows)
            unknown += int(np.count_nonzero(renumbered.column("tokens").values.to_numpy() == UNK))
            writer.write_batch(renumbered)
            progress.advance(batch.num_rows)
    del provisional
    (draft.path / DRAFT).unlink()
    entities.write(draft.path / ENTITIES)
    vocabulary.write(draft.path / VOCABULARY)
    store = ContextStore.open(draft.path / CONTEXTS)
    pairs = PairCounts.of_contexts(store.heads, store.tails, len(entities))
    pairs.write(draft.path / PAIRS)
    draft.summary |= {
        "contexts": len(store),
        "distinct_pairs": len(pairs),
        "entities": len(entities),
        "words": len(vocabulary),
        "unknown_word_rate": round(unknown / extractor.tally.tokens, 6),
    }
    draft.summary |= _by_class(pairs, entities)


def _word_rows(extractor: Extractor, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Provisional number of a word → its row in the word table."""
    rows = np.arange(len(SPECIAL_TOKENS) + len(extractor.numbers), dtype=np.int32)
    for word, number in extractor.numbers.items():
        rows[number] = vocabulary.row(word)
    return rows


def _renumber(
    batch: pa.RecordBatch, entity_rows: npt.NDArray[np.int32], word_rows: npt.NDArray[np.int32]
) -> pa.RecordBatch:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name in ("head", "tail"):
        columns[name] = pa.array(entity_rows[columns[name].to_numpy()])
    tokens = columns["tokens"]
    words = pa.array(word_rows[tokens.values.to_numpy()])
    columns["tokens"] = pa.ListArray.from_arrays(tokens.offsets, words, type=CONTEXT_SCHEMA.field("tokens").type)
    return pa.record_batch(list(columns.values()), schema=CONTEXT_SCHEMA)


def _by_class(pairs: PairCounts, entities: EntityTable) -> dict[str, Any]:
    """Contexts and distinct pairs of each class of types."""
    kinds, kind_of = np.unique(np.array(entities.types, str), return_inverse=True)
    classes = kind_of[pairs.heads] * len(kinds) + kind_of[pairs.tails]
    contexts: dict[str, int] = {}
    distinct: dict[str, int] = {}
    for code in np.unique(classes):
        members = classes == code
        name = class_of_types(str(kinds[code // len(kinds)]), str(kinds[code % len(kinds)]))
        contexts[name] = contexts.get(name, 0) + int(pairs.counts[members].sum())
        distinct[name] = distinct.get(name, 0) + int(members.sum())
    return {"contexts_by_class": contexts, "pairs_by_class": distinct}


def _summary_of_lexicon(lexicon: Lexicon, bad: BadLines) -> dict[str, Any]:
    return {
        "lexicon_entities": len(lexicon.terms),
        "lexicon_names": len(lexicon.names),
        "lexicon_names_ambiguous": len(lexicon.ambiguous),
        "lexicon_names_stopped": len(lexicon.stopped),
        "lexicon_names_unfit": lexicon.unfit,
        "lexicon_bad_lines": bad.count,
        "lexicon_bad_lines_first": bad.first,
    }


def _summary_of_input(extractor: Extractor, bad: BadLines, lexicon: Lexicon) -> dict[str, Any]:
    tally = extractor.tally
    ranked = sorted(tally.name_counts.items(), key=lambda item: (-item[1], item[0]))[:FREQUENT_NAMES]
    frequent = [[name, lexicon.terms[entity].type, lexicon.terms[entity].id, n] for (name, entity), n in ranked]
    counts = {name: value for name, value in vars(tally).items() if isinstance(value, int)}
    return counts | {"bad_lines": bad.count, "bad_lines_first": bad.first, "frequent_names": frequent}


def _tell(summary: dict[str, Any], progress: Progress) -> None:
    for name, contexts in sorted(summary["contexts_by_class"].items()):
        progress.say(f"{name}: {contexts:,} contexts of {summary['pairs_by_class'][name]:,} pairs")
    for kind in ("lexicon_bad_lines", "bad_lines"):
        if summary[kind]:
            progress.say(f"{summary[kind]:,} bad lines left out, e.g. {summary[kind + '_first'][0]}")
