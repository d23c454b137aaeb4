"""First pass over the documents: tag, pair, and write contexts with provisional numbers.

Words are numbered as they come and entities by their place in the lexicon, those that only the input names behind
these, since the vocabulary and the list of entities that occur are known only at the end;
:mod:`kgrel.text.merge` renumbers them in the second pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kgrel.text.contexts import Context, RowWriter
from kgrel.text.document_tagger import DocumentTagger
from kgrel.text.documents import Document, Given, Passage, split_sentences
from kgrel.text.pairs import PairMentions, nearest_pairs
from kgrel.text.pubtator import NO_IDENTIFIER
from kgrel.text.sentences import Sentence
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Mention, leftmost_longest
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

GivenEntity = tuple[str, str, str]
"""Type, identifier and name of an entity that the input names."""


class WordNumbers(dict[str, int]):
    """Numbers words as they are first asked for, after the special tokens."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self) + len(SPECIAL_TOKENS)
        return number


@dataclass
class Tally:
    """What the first pass counts."""

    documents: int = 0
    sentences_read: int = 0
    sentences_empty: int = 0
    sentences_too_long: int = 0
    """Sentences of more than ``max_characters``, left out."""
    sentences_with_pairs: int = 0
    """Sentences with two or more different entities."""
    mentions: int = 0
    mentions_given: int = 0
    """Those among them that the input brought."""
    mentions_given_overlapping: int = 0
    """Given mentions left out because another, which begins earlier or is longer, overlaps them."""
    mentions_given_without_id: int = 0
    """Given mentions left out because they name no identifier."""
    mentions_of_abbreviations: int = 0
    """Those among the mentions that a definition in the document gave."""
    mentions_disambiguated: int = 0
    """Mentions whose type the disambiguator was asked for."""
    mentions_undecided: int = 0
    """Those among them that it left out."""
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
    """Turns documents into contexts.

    Args:
        sentences: receives (doc_id, text) of the sentences that give a context.
        contexts: receives the contexts with provisional numbers.
    """

    def __init__(
        self, tagger: DocumentTagger, settings: BuildCorpusSettings, sentences: RowWriter, contexts: RowWriter
    ) -> None:
        self._tagger, self._settings = tagger, settings
        self._sentences, self._contexts = sentences, contexts
        self._given_numbers: dict[tuple[str, str], int] = {}
        self.numbers = WordNumbers()
        self.given: list[GivenEntity] = []
        """Entities that only the input names, in the order of their numbers."""
        self.tally = Tally()

    def add(self, documents: Sequence[Document]) -> None:
        """Take in some documents; the disambiguator is asked once for all of them."""
        self.tally.documents += len(documents)
        split = [(document.doc_id, self._usable(document)) for document in documents]
        texts = [[passage.text for passage in passages if passage.given is None] for _, passages in split]
        before = self._tagger.tally()
        tagged = self._tagger.tag_documents(texts)
        asked, undecided, abbreviations = (now - then for now, then in zip(self._tagger.tally(), before, strict=True))
        self.tally.mentions_disambiguated += asked
        self.tally.mentions_undecided += undecided
        self.tally.mentions_of_abbreviations += abbreviations
        for (doc_id, passages), found in zip(split, tagged, strict=True):
            rows = iter(found)
            for passage in passages:
                mentions = next(rows) if passage.given is None else self._given_mentions(passage.text, passage.given)
                self._add_sentence(Sentence(doc_id, passage.text), mentions)

    def _usable(self, document: Document) -> list[Passage]:
        """The sentences of a document that hold something and are not too long."""
        kept = []
        for passage in document.passages:
            if not self._settings.given_mentions:
                passage = passage._replace(given=None)
            for sentence in (passage,) if passage.is_sentence else split_sentences(passage):
                self.tally.sentences_read += 1
                if not sentence.text.strip():
                    self.tally.sentences_empty += 1
                elif len(sentence.text) > self._settings.max_characters:
                    self.tally.sentences_too_long += 1
                else:
                    kept.append(sentence)
        return kept

    def _given_mentions(self, text: str, given: tuple[Given, ...]) -> list[Mention]:
        named = [mention for mention in given if mention.id not in NO_IDENTIFIER]
        self.tally.mentions_given_without_id += len(given) - len(named)
        chosen = leftmost_longest(Mention(m.start, m.end, self._number(text, m)) for m in named)
        self.tally.mentions_given_overlapping += len(named) - len(chosen)
        self.tally.mentions_given += len(chosen)
        return chosen

    def _number(self, text: str, given: Given) -> int:
        """Place in the lexicon, or behind it."""
        key = (given.type, given.id)
        number = self._tagger.lexicon.place.get(key, self._given_numbers.get(key))
        if number is None:
            number = self._given_numbers[key] = len(self._tagger.lexicon.terms) + len(self.given)
            self.given.append((*key, text[given.start : given.end]))
        return number

    def _add_sentence(self, sentence: Sentence, mentions: list[Mention]) -> None:
        # Most sentences name nothing or one entity: they are left as soon as they can be.
        if not mentions:
            return
        tally, fold = self.tally, self._tagger.lexicon.normaliser.fold
        tally.mentions += len(mentions)
        tally.name_counts.update(
            (fold(sentence.text[mention.start : mention.end]), mention.entity) for mention in mentions
        )
        if len(mentions) < 2:
            return
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
