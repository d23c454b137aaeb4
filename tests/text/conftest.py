"""A small corpus that every test of the package can build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

GENES = """entrez_id\tsymbol\ttype\tname\tsynonyms
1\tABC1\tprotein-coding\talpha factor\tALF|shared name
2\tWASP\tprotein-coding\tbeta factor\tshared name|CAT5
3\tGHOST\tpseudo\tghost gene\t
4\tTIS\tprotein-coding\tlong protein name\t
"""
DISEASES = """doid\tname\tsynonyms\talt_ids\txrefs
DOID:1\tfever\thigh fever|pyrexia\tDOID:7|DOID:8\t
DOID:2\tgout\talpha factor\t\t
"""
SENTENCES = """doc_id\tsentence
11\tABC1 raises fever, and fever lowers ABC1 in gout.
11\tNothing is named here.
12\tThe gout gene WASP binds long protein name.
PMC\tA "quoted gout is not pyrexia.
12\t
"""

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the test and return its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def genes(write: Write) -> Path:
    return write("genes.tsv", GENES)


@pytest.fixture
def diseases(write: Write) -> Path:
    return write("diseases.tsv", DISEASES)


@pytest.fixture
def sentences(write: Write) -> Path:
    return write("sentences.tsv", SENTENCES)
