"""Commands and examples of README and docs, in the order in which somebody would type them in."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
"""Name → file of each page."""
PROGRAMS = ("kgrel", "make", "pip", "curl", "zcat", "sh", "export", "torchrun", "python", ".")


@dataclass(frozen=True)
class Command:
    """A command that a page shows."""

    page: str
    line: str

    @property
    def words(self) -> list[str]:
        """As the shell parts them, comments left out."""
        return shlex.split(self.line, comments=True)

    def __str__(self) -> str:
        return f"{Path(self.page).stem}: {' '.join(self.words)}"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGES[page].read_text(encoding="utf-8"), re.DOTALL)


def commands_of(page: str) -> list[Command]:
    """The commands of a page: fenced, or indented by four blanks."""
    text = PAGES[page].read_text(encoding="utf-8").replace("\\\n", " ")
    fenced = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
    indented = "\n".join(re.findall(rf"^    (?=(?:{'|'.join(PROGRAMS[:-1])}) )(.*)$", text, re.MULTILINE))
    lines = [line for language, block in [*fenced, ("sh", indented)] if language == "sh" for line in block.splitlines()]
    return [Command(page, re.sub(r" +", " ", line).strip()) for line in lines if shlex.split(line, comments=True)]
