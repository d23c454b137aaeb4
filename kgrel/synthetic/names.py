"""Invented names: pronounceable, unique, and no words of the sentence grammar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kgrel.synthetic.vocabulary import grammar_words

_ONSETS: tuple[str, ...] = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "k",
    "kl",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pl",
)
_ONSETS += ("qu", "r", "s", "st", "t", "tr", "v", "vr", "w", "y", "z", "zw")
_VOWELS = ("a", "e", "i", "o", "u", "ae", "au")
_LAST_ONSETS = ("b", "d", "k", "l", "m", "n", "p", "r", "t", "v", "z")
_CODAS = ("l", "m", "n", "r", "s", "x", "th")
_LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ"
_GENE_FAMILIES = ("kinase", "receptor", "ligase", "transporter", "channel", "factor", "reductase", "protease")
_DISEASES = ("{}itis", "{}osis", "{}opathy", "{} syndrome", "{} disease", "{}aemia", "familial {}osis")
_CHEMICALS = ("{}amide", "{}olol", "{}itol", "{}avir", "{}idone", "{}uzole", "{}ostat", "{} acid")


@dataclass(frozen=True)
class Entity:
    """An invented entity."""

    type: str
    """GENE, DISEASE or CHEMICAL."""
    id: str
    """Identifier in the spelling of the type's dictionary: a number, ``DOID:…`` or ``DB…``."""
    name: str
    """Preferred name; for a gene, its symbol."""
    full_name: str
    """The descriptive name of a gene; else the preferred name."""
    synonyms: tuple[str, ...]
    """Other names that sentences may use."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a sentence may use, the preferred one first."""
        return (self.name, *self.synonyms)


class _Namer:
    """Draws names and never gives one twice, case ignored."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.taken = set(grammar_words())
        self.stems: set[str] = set()

    def pick(self, options: str | tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def unique(self, draw: Callable[[], str]) -> str:
        while True:
            name = draw()
            if name.casefold() not in self.taken:
                self.taken.add(name.casefold())
                return name

    def stem(self) -> str:
        """Three syllables, the last one closed, as ``drovatin``; none twice."""
        while True:
            stem = "".join(self.pick(_ONSETS) + self.pick(_VOWELS) for _ in range(2))
            stem += self.pick(_LAST_ONSETS) + self.pick(_VOWELS[:5]) + self.pick(_CODAS)
            if stem not in self.stems:
                self.stems.add(stem)
                return stem

    def symbol(self) -> str:
        """Two to four letters, a number, sometimes a letter more: ``TKR2B``."""
        letters = "".join(self.pick(_LETTERS) for _ in range(int(self.rng.integers(2, 5))))
        number = int(self.rng.integers(1, 20))
        return f"{letters}{number}{self.pick('ABCDL') if self.rng.random() < 0.3 else ''}"

    def gene(self, number: int) -> Entity:
        symbol = self.unique(self.symbol)
        family = self.pick(_GENE_FAMILIES)
        full = self.unique(lambda: f"{self.stem()} {family} {int(self.rng.integers(1, 10))}")
        aliases = [self.unique(self.symbol) for _ in range(int(self.rng.integers(0, 3)))]
        return Entity("GENE", str(number), symbol, full, (*aliases, full))

    def disease(self, number: int) -> Entity:
        names = [self.unique(lambda: self.pick(_DISEASES).format(self.stem())) for _ in range(self.count())]
        return Entity("DISEASE", f"DOID:{9_000_000 + number}", names[0], names[0], tuple(names[1:]))

    def chemical(self, number: int) -> Entity:
        names = [self.unique(lambda: self.pick(_CHEMICALS).format(self.stem())) for _ in range(self.count())]
        return Entity("CHEMICAL", f"DB{90_000 + number}", names[0], names[0], tuple(names[1:]))

    def count(self) -> int:
        return int(self.rng.integers(1, 4))


def make_entities(rng: np.random.Generator, genes: int, diseases: int, chemicals: int) -> tuple[Entity, ...]:
    """Invent entities: genes first, then diseases, then chemicals."""
    namer = _Namer(rng)
    return (
        *(namer.gene(number) for number in range(1, genes + 1)),
        *(namer.disease(number) for number in range(1, diseases + 1)),
        *(namer.chemical(number) for number in range(1, chemicals + 1)),
    )
