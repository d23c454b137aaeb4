from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from kgrel.synthetic import World
from kgrel.synthetic.planted import class_pairs
from kgrel.synthetic.vocabulary import CLASSES, KINDS, grammar_words
from kgrel.text.badlines import BadLines
from kgrel.text.lexicon import build_lexicon, read_lexicon
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.tagger import Tagger


def test_gold_mentions_are_names_of_their_entities(small_world: World) -> None:
    for sentence in small_world.sentences:
        found = {small_world.entities[entity] for entity, _, _ in sentence.mentions}
        assert found == {small_world.entities[entity] for entity in sentence.entities}
        for entity, start, end in sentence.mentions:
            assert sentence.text[start:end] in small_world.entities[entity].names


def test_frames_hold_nothing_but_words_of_the_grammar(small_world: World) -> None:
    for sentence in small_world.sentences:
        words = re.sub(r"\{[012]\}", " ", sentence.frame).lower()
        assert set(re.findall(r"[^\s.,]+", words)) <= grammar_words()


def test_an_entity_stands_once_in_a_sentence(small_world: World) -> None:
    for sentence in small_world.sentences:
        assert len(set(sentence.entities)) == len(sentence.entities)
        assert sorted(re.findall(r"\{(\d)\}", sentence.frame)) == list(map(str, range(len(sentence.entities))))


def test_third_entities_occur_and_make_no_new_pair_of_a_class(small_world: World) -> None:
    assert any(len(sentence.entities) == 3 for sentence in small_world.sentences)
    of_a_class = {
        tuple(sorted(pair)) for types in CLASSES for pair in class_pairs(small_world.entities, *types).tolist()
    }
    known = {tuple(sorted(pair)) for pair in small_world.pairs.tolist()}
    assert set(small_world.comention_counts()) & of_a_class == known


def test_true_statements_name_a_relation_of_the_pair(small_world: World) -> None:
    stated = 0
    for sentence in small_world.sentences:
        true = small_world.metaedges(*sentence.entities[:2])
        if true and sentence.metaedge:
            assert sentence.metaedge in true
            stated += not sentence.denied
    assert stated > 0


def test_wording_rates_are_as_set(small_world: World) -> None:
    settings = small_world.settings
    true = np.array([bool(small_world.metaedges(*one.entities[:2])) for one in small_world.sentences])
    stated = np.array([bool(one.metaedge) and not one.denied for one in small_world.sentences])
    denied = np.array([one.denied for one in small_world.sentences])
    for group, name in ((true, "related"), (~true, "unrelated")):
        for found, wording in ((stated, "stated"), (denied, "negated")):
            rate = getattr(settings, f"{name}_{wording}")
            tolerance = 4 * np.sqrt(rate * (1 - rate) / group.sum())
            assert abs(found[group].mean() - rate) < tolerance


def test_the_active_sentence_has_the_right_subject(small_world: World) -> None:
    kinds = {kind.metaedge: kind for kind in KINDS}
    checked = 0
    for sentence in small_world.sentences:
        if sentence.metaedge:
            kind = kinds[sentence.metaedge]
            subject = "{0}" if kind.source_is_subject else "{1}"
            for verb in kind.verbs:
                active = re.search(rf"(\{{\d\}}) (may|appears to|did not|failed to) {verb.base} ", sentence.frame)
                if active:
                    assert active.group(1) == subject
                    checked += 1
    assert checked > 0


def test_a_dictionary_tagger_finds_exactly_the_gold_mentions(small_world: World, files: dict[str, Path]) -> None:
    settings = BuildCorpusSettings()
    terms = []
    for type_, name in (("GENE", "genes"), ("DISEASE", "diseases"), ("CHEMICAL", "chemicals")):
        terms += read_lexicon(type_, files[f"{name}.tsv"], settings, BadLines(strict=True))
    lexicon = build_lexicon(terms, settings)
    tagger = Tagger(lexicon)
    assert not lexicon.ambiguous
    for sentence in small_world.sentences:
        found = [(lexicon.terms[one.entity].id, one.start, one.end) for one in tagger.tag(sentence.text)]
        assert found == [(small_world.entities[one.entity].id, one.start, one.end) for one in sentence.mentions]
