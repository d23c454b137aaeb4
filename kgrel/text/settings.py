"""Settings of ``build-corpus``."""

from __future__ import annotations

from dataclasses import dataclass

from kgrel.data.errors import KgrelError


@dataclass(frozen=True)
class BuildCorpusSettings:
    """How sentences become contexts.

    Raises:
        KgrelError: a value is out of range.
    """

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
    """In a GENE lexicon with a `type` column, only rows of these types are read; none = all."""

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
        least |= {"min_name_length": 1, "short_symbol_length": 0}
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise KgrelError(f"{name} must be at least {minimum}, not {getattr(self, name)}")
