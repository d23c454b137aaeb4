"""Under which spellings a name is found: case, hyphens and blanks, apostrophes, Greek letters, plurals.

What can be done character by character is done to the text too, by :meth:`Normaliser.fold`, which keeps offsets.
What changes the length is done to the names alone, by :meth:`Normaliser.variants`, and costs nothing while tagging.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kgrel.text.folding import fold
from kgrel.text.settings import BuildCorpusSettings

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
"""Spelling of a Greek letter → the letter."""

_HYPHENS = "-‐‑‒–−­ \t"
_APOSTROPHES = "’‘ʼ′´"
_SAME = {0xA0: " ", 0xB5: "μ"} | {ord(character): "'" for character in _APOSTROPHES}
_SAME_WITH_HYPHENS = _SAME | {ord(character): " " for character in _HYPHENS}
_SPELLED = "|".join(sorted(GREEK, key=len, reverse=True))
_TITLED = "|".join(name.title() for name in sorted(GREEK, key=len, reverse=True))
_CAPITALS = "ALPHA|BETA|GAMMA|DELTA|KAPPA"
# A spelled letter stands alone, or right behind capitals or digits: TNFalpha, IL1beta, but not "alphabet".
_GREEK_WORD = re.compile(
    rf"(?:(?<![A-Za-z])|(?<=[A-Z0-9]))(?:{_SPELLED})(?![a-z])|(?<![A-Za-z])(?:{_TITLED})(?![a-z])|(?<![A-Za-z])(?:{_CAPITALS})(?![A-Za-z])"
)
_LETTER_OF = {case(name): letter for name, letter in GREEK.items() for case in (str.lower, str.title, str.upper)}
_NAME_OF = {letter: name for name, letter in GREEK.items()} | {"µ": "mu", "ς": "sigma", "ϕ": "phi"}
_GREEK_LETTER = re.compile(f"[{''.join(_NAME_OF)}]")
_INNER_GAP = re.compile(r"(?<=[A-Za-z])[- ](?=[0-9α-ω])|(?<=[0-9])[- ](?=[α-ω])|(?<=[α-ω])[- ](?=[0-9])")
_INNER_SEAM = re.compile(r"(?<=[A-Za-z])(?=[0-9α-ω])")
_SYMBOL = re.compile(r"[A-Z][A-Za-z]{1,4}[0-9α-ω]{1,2}[A-Za-z]?")
_PLURAL_WORD = re.compile(rf"(?<![A-Za-z0-9])(?!(?:{_SPELLED}|{_TITLED})$)[A-Za-z]?[a-z]{{3,}}$")
_CODED = re.compile(r"[A-Z]{3,}[0-9]+")
_LONGEST_WORD = 40
_PLURAL_ENDS = (("sis", "ses"), ("xis", "xes"), ("itis", "itides"), ("oma", "omata"))


@dataclass(frozen=True)
class Normaliser:
    """Which spellings are one; each attribute is the setting of the same name of ``BuildCorpusSettings``."""

    ignore_case: bool = True
    hyphens: bool = True
    greek: bool = True
    plurals: bool = True

    @classmethod
    def of(cls, settings: BuildCorpusSettings) -> Normaliser:
        """The normaliser that the settings ask for."""
        return cls(settings.ignore_case, settings.hyphens, settings.greek, settings.plurals)

    def fold(self, text: str) -> str:
        """The text as names are looked up in it; ``len(fold(text)) == len(text)``."""
        return self.spelling(fold(text) if self.ignore_case else text)

    def spelling(self, text: str) -> str:
        """Like :meth:`fold`, but in the case of the text: what the spelling of a case-bound name is compared with."""
        if not text.isascii():
            return text.translate(_SAME_WITH_HYPHENS if self.hyphens else _SAME)
        return text.replace("-", " ") if self.hyphens else text

    def cases(self, spelling: str) -> frozenset[str]:
        """The cases in which a case-bound name counts: as listed; and with a digit also as a mouse gene, or all small.

        Examples:
            >>> sorted(Normaliser().cases("SGK1"))
            ['SGK1', 'Sgk1', 'sgk1']
        """
        own = self.spelling(spelling)
        if not _CODED.fullmatch(spelling):
            return frozenset((own,))
        return frozenset((own, own.capitalize(), own.lower()))

    def variants(self, name: str) -> Iterator[str]:
        """Other spellings of a name that :meth:`fold` does not reach.

        Examples:
            >>> sorted(set(Normaliser().variants("TNF-alpha")))
            ['TNF-alphas', 'TNF-α', 'TNFalpha', 'TNFα']
        """
        spellings: dict[str, None] = {name: None}
        # Most names are plain words; the patterns cost more than asking first whether they can match.
        coded = not name.isascii() or any(map(str.isdigit, name)) or (self.greek and _GREEK_WORD.search(name))
        if coded and self.greek:
            spellings |= dict.fromkeys(_greek(name))
        if coded and self.hyphens:
            spellings |= dict.fromkeys(_INNER_GAP.sub("", spelling) for spelling in list(spellings))
            symbols = [spelling for spelling in spellings if _SYMBOL.fullmatch(spelling)]
            spellings |= dict.fromkeys(_INNER_SEAM.sub("-", symbol, count=1) for symbol in symbols)
        if coded and self.greek:
            spellings |= dict.fromkeys(other for spelling in list(spellings)[1:] for other in _greek(spelling))
        yield from list(spellings)[1:]
        if self.plurals:
            for spelling in spellings:
                yield from _plurals(spelling)


def _greek(name: str) -> list[str]:
    letters = _GREEK_WORD.sub(lambda match: _LETTER_OF[match[0]], name)
    words = name if name.isascii() else _GREEK_LETTER.sub(lambda match: _NAME_OF[match[0]], name)
    return [spelling for spelling in (letters, words) if spelling != name]


def _plurals(name: str) -> Iterator[str]:
    """English plurals of a name whose last word is a word, not a symbol, and no plural already."""
    if not name[-1:].islower() or not _PLURAL_WORD.search(name, len(name) - _LONGEST_WORD):
        return
    for singular, plural in _PLURAL_ENDS:
        if name.endswith(singular):
            yield name.removesuffix(singular) + plural
    if name.endswith("y") and name[-2] not in "aeiou":
        yield name[:-1] + "ies"
    elif not name.endswith("s"):
        yield name + ("es" if name.endswith(("x", "ch", "sh")) else "s")
