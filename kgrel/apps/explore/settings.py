"""Settings of the page. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

from kgrel.data.errors import KgrelError
from kgrel.data.settings import require


@dataclass(frozen=True)
class ExploreSettings:
    """What the page shows, and where it is served.

    Raises:
        KgrelError: a value is out of range.
    """

    candidates: int = 10_000
    """Without --predictions: so many co-mentioned, unlisted pairs are scored at the start, those with most contexts."""
    ranked: int = 1_000
    """Pairs kept where an entity is ranked against all of a type."""
    sentences: int = 20
    """Sentences that are shown of a pair at first, and with each request for more."""
    neighbours: int = 10
    """Pairs of the index that are shown as related most alike."""
    paths: int = 10
    """Paths of the graph that are drawn, the heaviest first."""
    host: str = "127.0.0.1"
    """Address that is listened on. The page has no password: any but the default is for a network that you trust."""
    port: int = 8765
    """Port that is listened on. 0 = one that is free."""

    def __post_init__(self) -> None:
        least = {"candidates": 0, "ranked": 1, "sentences": 1, "neighbours": 1, "paths": 1, "port": 0}
        require(self, least, (), ())
        if self.port > 65_535:
            raise KgrelError(f"port must be at most 65535, not {self.port}")
