"""What every benchmark shares: where the data lie, what machine this is, where results go."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import kgrel
from kgrel.data.progress import Silent

BENCHMARKS = Path(__file__).resolve().parent
RESULTS = BENCHMARKS / "results"
DATA = Path(os.environ.get("KGREL_DATA", BENCHMARKS.parents[1] / "shared" / "data"))
"""The real corpus, dictionaries and relations; set KGREL_DATA to where they are."""
RELATIONS = DATA / "kg" / "relations.tsv.gz"
LEXICONS = {"GENE": "genes.tsv.gz", "DISEASE": "diseases.tsv.gz", "CHEMICAL": "chemicals.tsv.gz"}
"""Type → its list of names among the dictionaries."""
WORK = BENCHMARKS.parent / "runs"
"""Artifacts of benchmark runs; not kept under version control."""


@cache
def made_here() -> dict[str, Path]:
    """Hash → directory of the artifacts in runs/ and one level below."""
    manifests = [*WORK.glob("*/manifest.json"), *WORK.glob("*/*/manifest.json")]
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path.parent for path in manifests}


ONLY_NAMED = ("pairs", "held_out")
"""Parents that tell a corpus of paths which pairs there are; it learns nothing from them."""


def seconds_in_all(artifact: Path) -> float:
    """Seconds of the last session of an artifact and of each in runs/ that it was made from, a text's corpus aside."""
    found: dict[Path, float] = {}
    waiting = [artifact]
    while waiting:
        path = waiting.pop()
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        if path in found or (manifest["kind"] == "corpus" and "graph" not in manifest["parents"]):
            continue
        found[path] = json.loads((path / "run.json").read_text(encoding="utf-8"))["seconds"]
        named = ONLY_NAMED if manifest["kind"] == "corpus" else ()
        parents = [parent for role, parent in manifest["parents"].items() if role not in named]
        waiting += [made_here()[parent] for parent in parents if parent in made_here()]
    return sum(found.values())


class Lines(Silent):
    """Messages alone, on stderr."""

    def say(self, message: str) -> None:
        print(time.strftime("%H:%M:%S"), message, file=sys.stderr, flush=True)


def matrix_rate(size: int = 2048, repeats: int = 5) -> float:
    """The machine's fp32 matrix product rate in GFLOP/s, best of some repeats."""
    import torch  # here, so that a benchmark of memory need not load it

    a, b = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds) / 1e9


def hardware() -> dict[str, Any]:
    """What the figures were measured on."""
    import torch

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": model,
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "fp32_matrix_gflops": round(matrix_rate()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "kgrel": kgrel.__version__,
    }


def peak_kib() -> int:
    """Peak resident memory of this process, KiB. (``ru_maxrss`` would begin with that of the parent.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


NUMBERS = re.compile(r"\[\s[-+\d.eE,\s]+\]")
"""A list of numbers alone, such as an interval, which stands on one line."""


def save(name: str, result: dict[str, Any]) -> Path:
    """Write ``results/NAME.json``."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    text = json.dumps(rounded(result), indent=1, ensure_ascii=False, allow_nan=False)
    text = NUMBERS.sub(lambda found: re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def rounded(value: Any) -> Any:
    """Nested values with six significant digits, more than any measurement here has."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def load(name: str) -> dict[str, Any]:
    """Read ``results/NAME.json``; empty if it is not there."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def slug(*words: object) -> str:
    """Words as part of a file's name: hyphens between them, no commas."""
    return "-".join(map(str, words)).replace(",", "").replace(" ", "-")


BEGIN, END = "<!-- results: made by benchmarks/make_results.py -->\n", "<!-- end of results -->\n"


def with_results(page: str, table: str) -> str:
    """A page with a table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def put_results(page: str, table: str) -> None:
    """Put a table between the marks of a page, named from the root of the project."""
    path = BENCHMARKS.parent / page
    path.write_text(with_results(path.read_text(encoding="utf-8"), table), encoding="utf-8")


def today() -> str:
    """The date, UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime())
