"""Modes as text for the terminal."""

from __future__ import annotations

from typing import Any

from kgrel.score.show import cell


def text_modes(found: dict[str, Any]) -> str:
    """One block a mode."""
    one, other = found["names"]
    active = found["u"]["active_units"]
    lines = [f"{one} – {other}: {len(found['modes'])} mode{'s' if len(found['modes']) > 1 else ''}"]
    lines += [f"  u explains {found['u']['share_of_variance']:.1%} of the variance of z; "
              f"active units of u: {'not measured' if active is None else f'{active:.0f}'}"]  # fmt: skip
    for number, mode in enumerate(found["modes"], 1):
        lines += [f"mode {number}: {mode['share']:.0%} of the samples, in {mode['stability']:.0%} of the bootstraps"]
        lines += [f"  words: {' '.join(mode['words'])}"]
        lines += [
            f"  {pair['score']:.3f}  {cell(pair['source_name'])} – {cell(pair['target_name'])}  {pair['relation']}"
            for pair in mode.get("pairs", ())
        ]
        lines += [f"  {one['doc_id']}: {one['sentence']}" for one in mode.get("sentences", ())]
    lines += [f"left out: {name}, {reason}" for name, reason in found["omitted"].items()]
    return "\n".join(lines)
