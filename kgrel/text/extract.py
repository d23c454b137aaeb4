"""First pass over the sentences: tag, pair, and write contexts with provisional numbers.

Words are numbered as they come and entities by their place in the lexicon, since the vocabulary and the list
of entities that occur are known only at the end; :mod:`kgrel.text.build` renumbers them in the second pass.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kgrel.text.contexts import Context, RowWriter
from kgrel.text.folding import fold
from kgrel.text.pairs import PairMentions, nearest_pairs
from kgrel.text.sentences import Sentence
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Mention, Tagger
from kgrel.text.tokens import (
    END,
    ENT,
    SPECIAL_TOKENS,
    TokenizedText,
    align,
    replace_mentions,
    token_span,
    tokenize,
)


class WordNumbers(dict[str, int]):
    """Numbers words as they are first asked for, after the special tokens."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self) + len(SPECIAL_TOKENS)
        return number


@dataclass
class Tally:
    """What the first pass counts."""

    sentences_read: int = 0
    sentences_empty: int = 0
    sentences_with_pairs: int = 0
    """Sentences with two or more different entities."""
    mentions: int = 0
    contexts_cut: int = 0
    """Contexts longer than ``max_tokens``, cut to a window."""
    pairs_too_far: int = 0
    """Pairs dropped because their mentions are too far apart for ``max_tokens``."""
    pairs_over_limit: int = 0
    """Pairs beyond ``max_pairs`` of their sentence."""
    tokens: int = 0
    """Tokens of all contexts."""
    word_counts: Counter[str] = field(default_factory=Counter)
    """Occurrences of each word in the kept sentences."""
    name_counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Mentions by folded name and entity, in all sentences."""


class Extractor:
    """Turns sentences into contexts.

    Args:
        sentences: receives (doc_id, text) of the sentences that give a context.
        contexts: receives the contexts with provisional numbers.
    """

    def __init__(
        self, tagger: Tagger, settings: BuildCorpusSettings, sentences: RowWriter, contexts: RowWriter
    ) -> None:
        self._tagger, self._settings = tagger, settings
        self._sentences, self._contexts = sentences, contexts
        self.numbers = WordNumbers()
        self.tally = Tally()

    def add(self, sentence: Sentence) -> None:
        """Take in one sentence."""
        tally = self.tally
        tally.sentences_read += 1
        if not sentence.text.strip():
            tally.sentences_empty += 1
            return
        mentions = self._tagger.tag(sentence.text)
        tally.mentions += len(mentions)
        tally.name_counts.update(
            (fold(sentence.text[mention.start : mention.end]), mention.entity) for mention in mentions
        )
        pairs, beyond = nearest_pairs(mentions, self._settings.max_pairs)
        if pairs:
            tally.sentences_with_pairs += 1
            tally.pairs_over_limit += beyond
            self._add_pairs(sentence, pairs)

    def _add_pairs(self, sentence: Sentence, pairs: list[PairMentions]) -> None:
        tokens = tokenize(sentence.text)
        numbers = [self.numbers[word] for word in tokens.words]
        row, before = self._sentences.count, self._contexts.count
        for first, second in pairs:
            # Third mentions split nothing, so that a sentence and its pair alone give the same context.
            aligned = align(sentence.text, tokens, (first[:2], second[:2]))
            own = numbers if aligned is tokens else [self.numbers[word] for word in aligned.words]
            self._add_context(row, aligned, own, first, second)
        if self._contexts.count > before:
            self._sentences.append(sentence)
            self.tally.word_counts.update(tokens.words)

    def _add_context(
        self, row: int, tokens: TokenizedText, numbers: list[int], first: Mention, second: Mention
    ) -> None:
        spans = token_span(tokens, first[:2]), token_span(tokens, second[:2])
        made = replace_mentions(numbers, *spans, ENT, END, self._settings.max_tokens)
        if made is None:
            self.tally.pairs_too_far += 1
            return
        context, cut = made
        self.tally.contexts_cut += cut
        self.tally.tokens += len(context)
        places = (first.start, first.end, second.start, second.end)
        self._contexts.append(Context(first.entity, second.entity, row, *places, context))
