"""Settings of ``build-corpus``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrel.data.errors import KgrelError


@dataclass(frozen=True)
class BuildCorpusSettings:
    """How sentences become contexts.

    Raises:
        KgrelError: a value is out of range.
    """

    format: Literal["auto", "tsv", "jsonl", "pubtator", "bioc", "text"] = "auto"
    """Format of the inputs; `auto` goes by the ending: .tsv, .jsonl, .pubtator, .json, .txt, also .gz and .zst."""

    given_mentions: bool = True
    """Use the mentions that a document brings as they are; otherwise all text is tagged with the lexicons."""

    sample: float = 1.0
    """Share of the documents that is read, drawn by the seed; a sentence without a known document is one."""

    seed: int = 0
    """Seed of the sample."""

    shard_sentences: int = 20_000
    """About so many sentences make one shard: the unit of work of a process and of resuming."""

    max_characters: int = 20_000
    """Longer sentences are left out and counted."""

    ignore_case: bool = True
    """Match names in any case, save short symbols (see `short_symbol_length`)."""

    hyphens: bool = True
    """Take hyphen and blank for the same, and IL2 for IL-2."""

    greek: bool = True
    """Take Greek letters and their names for the same: TNF-α and TNF-alpha."""

    plurals: bool = True
    """Match the English plural of names of diseases, drugs and families as well."""

    abbreviations: bool = True
    """Give an abbreviation that its document defines, as in `amyotrophic lateral sclerosis (ALS)`, the entity of
    what it stands for, throughout the document; none if that is not in the lexicons."""

    vocabulary_size: int = 20_000
    """Rows of the word table, the four special tokens included; rarer words become <UNK>."""

    min_count: int = 1
    """Words that occur fewer times than this in the kept sentences become <UNK>."""

    max_tokens: int = 140
    """Longest context in tokens, <END> included. Longer ones are cut to a window around both mentions."""

    max_pairs: int = 45
    """Most pairs taken from one sentence, nearest first; 45 are all pairs of ten entities."""

    min_name_length: int = 3
    """Names shorter than this many characters are not tagged."""

    short_symbol_length: int = 5
    """Gene names and symbol-like names (a digit, or a capital after the first letter) of up to this many
    characters are tagged only where their case is as listed."""

    gene_types: tuple[str, ...] = ("protein-coding",)
    """In a GENE lexicon with a `type` column, only rows of these types are read; none = all. Where an earlier one and
    a later one claim a name alike, the earlier one has it; pseudogenes come last in any case."""

    related_synonyms: bool = False
    """Tag RELATED synonyms of OBO files as well as EXACT ones."""

    stop_words: tuple[str, ...] = ()
    """Further names that are never tagged, in any case, beside the built-in English words."""

    builtin_stop_words: bool = True
    """Never tag the built-in list of English words that are also names of genes, diseases or drugs."""

    strict: bool = False
    """Stop at the first bad line of a sentence file instead of counting it."""

    def __post_init__(self) -> None:
        least = {"vocabulary_size": 5, "min_count": 1, "max_tokens": 3, "max_pairs": 1}
        least |= {"min_name_length": 1, "short_symbol_length": 0, "shard_sentences": 1, "max_characters": 1}
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise KgrelError(f"{name} must be at least {minimum}, not {getattr(self, name)}")
        if not 0 < self.sample <= 1:
            raise KgrelError(f"sample must be above 0 and at most 1, not {self.sample}")


@dataclass(frozen=True)
class MentionFormat:
    """How sentences with two marked entities are read."""

    format: Literal["auto", "table", "plain", "pubtator"] = "auto"
    """Format of the sentences: a `table` (csv, tsv, jsonl, parquet by ending) with marked spans or placeholders;
    `plain`, as GAD and EU-ADR are published: sentence and label with a tab between, no quoting, a header or none; or
    `pubtator` with relations. `auto` goes by the ending."""
    placeholders: tuple[str, ...] = ()
    """Text that stands in the sentence for an entity, as MARK=TYPE, such as @PROTEIN$=GENE; without one, @TYPE$ stands
    for an entity of that type."""
    label: str = ""
    """Column of the label. Empty = label, relation or class."""
    types: tuple[str, ...] = ()
    """Of PubTator files, the pairs of types that are read, each TYPE,TYPE. None = those of the listed relations in
    training, and those known from training otherwise."""
