"""Pages of the site that stand elsewhere in the tree: results, changelog, contributing; and the links to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
ELSEWHERE = {
    "results.md": ROOT / "benchmarks" / "RESULTS.md",
    "contributing.md": ROOT / "CONTRIBUTING.md",
    "changelog.md": ROOT / "CHANGELOG.md",
    "security.md": ROOT / "SECURITY.md",
}
"""Name in the site → file."""
MOVED = {
    "../benchmarks/RESULTS.md": "results.md",
    "benchmarks/RESULTS.md": "results.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../SECURITY.md": "security.md",
}
"""Link in the tree → in the site."""


def on_files(files: Files, config: Any) -> Files:
    """Add the pages, and the pictures of the results."""
    for name, path in ELSEWHERE.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.png")):
        files.append(File.generated(config, f"results/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links to where those pages are in the site; links into docs/ lose that folder."""

    def moved(link: re.Match[str]) -> str:
        target = link[1].removeprefix("docs/")
        return f"]({MOVED.get(target, target)})"

    return re.sub(r"\]\(([^)\s#]+)\)", moved, markdown)
