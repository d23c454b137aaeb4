"""Imports go one way, nothing is ever unpickled, and what only helps or describes loads no torch."""

from __future__ import annotations

import ast
import graphlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    {"data", "metrics"},
    {"text", "graph"},
    {"model"},
    {"train"},
    {"score"},
    {"search", "export", "evaluate", "baselines"},
    {"apps"},
    {"kgrel_cli"},
]
"""From the bottom up: a package imports from layers below its own, and may skip some."""
APART = [LAYERS[0], LAYERS[1]]
"""Layers whose packages do not import each other either."""
GENERATOR, GENERATOR_USES, GENERATOR_SERVES = "synthetic", {"data", "text", "graph"}, {"apps", "kgrel_cli"}
"""The generated world stands beside the line: what it uses, and who uses it."""
MOST_LINES = 420
"""Of a source: about four hundred."""
WITHOUT_TORCH = {"data", "metrics", "text", "synthetic"}
TORCH = {"torch", "lightning", "torch_geometric", "torchmetrics"}
UNPICKLING = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "read_pickle",
    "to_pickle",
}
TORCH_FILES = {"torch.load", "torch.save"}
UNSAFE_LOADING = {"yaml.load", "yaml.full_load", "yaml.unsafe_load", "os.system", "os.popen"}
EXECUTING = {"eval", "exec", "compile", "__import__"}

LAYER = {package: height for height, layer in enumerate(LAYERS) for package in layer}
SOURCES = sorted([*(ROOT / "kgrel").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])


def package_of(path: Path) -> str:
    """The package that a source belongs to; ``kgrel`` for the sources of the root itself."""
    parts = path.relative_to(ROOT).parts
    return "kgrel_cli" if parts[0] == "cli" else parts[1] if len(parts) > 2 else "kgrel"


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that a source imports, inside functions as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_packages(tree: ast.AST) -> set[str]:
    """Packages of this project that a source imports; ``from kgrel import __version__`` is none."""
    found = set()
    for name in imported_modules(tree):
        first, *rest = name.split(".")
        if first == "kgrel_cli":
            found.add("kgrel_cli")
        elif first == "kgrel" and rest and rest[0] != "__version__":
            found.add(rest[0])
    return found


def allowed(importer: str, imported: str) -> bool:
    """Whether the architecture lets one package import another."""
    if importer == imported:
        return True
    if importer == GENERATOR:
        return imported in GENERATOR_USES
    if imported == GENERATOR:
        return importer in GENERATOR_SERVES
    if LAYER[importer] == LAYER[imported]:
        return LAYERS[LAYER[importer]] not in APART
    return LAYER[importer] > LAYER[imported]


def unpickles(tree: ast.AST) -> bool:
    """Whether a source can run code that a file brings along."""
    names = set(imported_modules(tree))
    names |= {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    parts = {part for name in names for part in (name.split(".")[0], name.split(".")[-1])}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    unsafe = names & UNSAFE_LOADING or called & EXECUTING or arguments & {"allow_pickle", "shell"}
    return bool(names & TORCH_FILES or parts & UNPICKLING or unsafe)


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Package → the other packages of this project that it imports."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        package = package_of(path)
        found.setdefault(package, set()).update(imported_packages(parsed(path)) - {package})
    return found


def test_every_package_has_its_place(imports: dict[str, set[str]]) -> None:
    assert imports.keys() <= {*LAYER, GENERATOR, "kgrel"}
    assert {"data", "text", "model", "train", "score", "kgrel_cli"} <= imports.keys()


def test_no_source_imports_from_its_own_layer_or_above() -> None:
    upward = [
        f"{path.relative_to(ROOT)} imports {imported}"
        for path in SOURCES
        for imported in imported_packages(parsed(path))
        if package_of(path) == "kgrel" or not allowed(package_of(path), imported)
    ]
    assert upward == []


def test_sources_are_short_and_named_for_what_they_do() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
    assert {path.stem for path in SOURCES} & {"utils", "util", "common", "misc"} == set()


def test_there_is_no_cycle_between_packages(imports: dict[str, set[str]]) -> None:
    order = list(graphlib.TopologicalSorter(imports).static_order())  # raises CycleError
    assert order.index("data") < order.index("kgrel_cli")


def test_data_and_metrics_import_nothing_of_the_project(imports: dict[str, set[str]]) -> None:
    assert imports["data"] == imports["metrics"] == imports["kgrel"] == set()


def test_text_and_what_it_rests_on_import_no_torch() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if package_of(path) in WITHOUT_TORCH and {name.split(".")[0] for name in imported_modules(parsed(path))} & TORCH
    ]
    assert found == []


def test_nothing_is_unpickled() -> None:
    assert [str(path.relative_to(ROOT)) for path in SOURCES if unpickles(parsed(path))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    from joblib import load",
        "import torch\ntorch.load('x')",
        "from torch import load",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "frame.to_pickle('x')",
        "eval('1')",
        "def f():\n    exec(text)",
        "import subprocess\nsubprocess.run('x', shell=True)",
        "import yaml\nyaml.load(text)",
        "import os\nos.system('x')",
    ],
)
def test_unpickling_is_recognised(source: str) -> None:
    assert unpickles(ast.parse(source))
    assert not unpickles(ast.parse("import json, torch, numpy as np\njson.load(f)\nnp.load(f)\ntorch.zeros(1)"))


@pytest.mark.parametrize(
    ("importer", "imported", "verdict"),
    [
        ("kgrel_cli", "apps", True),
        ("score", "data", True),
        ("evaluate", "baselines", True),
        ("apps", "synthetic", True),
        ("synthetic", "text", True),
        ("score", "evaluate", False),
        ("model", "train", False),
        ("text", "graph", False),
        ("data", "metrics", False),
        ("train", "synthetic", False),
        ("synthetic", "model", False),
        ("apps", "kgrel_cli", False),
    ],
)
def test_the_rule_says_what_the_architecture_says(importer: str, imported: str, verdict: bool) -> None:
    assert allowed(importer, imported) == verdict


HELP = """
import contextlib, io, json, sys
import kgrel
from kgrel_cli.main import VERBS, cli

heavy = {"torch", "lightning", "sklearn", "pandas", "tokenizers", "safetensors"}
loaded = {"import kgrel": sorted(heavy & set(sys.modules))}
for arguments in (["--help"], ["--version"], *([verb, "--help"] for verb in VERBS)):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        cli.main(arguments, prog_name="kgrel", standalone_mode=False)
    assert shown.getvalue()
    loaded[" ".join(arguments)] = sorted(heavy & set(sys.modules))
print(json.dumps(loaded))
"""


def test_importing_kgrel_and_asking_for_help_load_no_torch() -> None:
    result = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert {step: modules for step, modules in json.loads(result.stdout).items() if modules} == {}
