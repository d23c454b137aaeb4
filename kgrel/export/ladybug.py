"""One Ladybug database file, built fresh in bulk: staged as Arrow, copied, counted, then renamed into place.

It is never updated in place: MERGE is some forty times slower than COPY there, and a second COPY silently doubles the
edges. Arrow files are mapped into memory, so that they cost none of it, and are read faster than Parquet.
The table ``NamedThing`` holds the nodes, and each predicate has a relationship table of its name.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kgrel.data.errors import KgrelError
from kgrel.data.files import atomic_file, refuse_place
from kgrel.export.arrow import edge_schema, edge_table, node_table
from kgrel.export.batch import EdgeSource
from kgrel.export.cypher import BASE_LABEL, quoted
from kgrel.export.record import Field, Kind
from kgrel.export.settings import LadybugSettings

_TYPES: dict[Kind, str] = {"text": "STRING", "texts": "STRING[]", "number": "DOUBLE", "whole": "INT64", "flag": "BOOL"}
_TRIPLE = ("subject", "predicate", "object")
_NODES = "nodes.arrow"


def write(source: EdgeSource, out: Path, settings: LadybugSettings | None = None, overwrite: bool = False) -> None:
    """Build the database file ``out``.

    Raises:
        KgrelError: the extra ``ladybug`` is not installed, the database refuses the data, or its counts are not those
            of the export; see :func:`kgrel.data.files.atomic_file`.
    """
    module = load_module()
    settings = settings or LadybugSettings()
    refuse_place(out, overwrite)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as staging:
        # The database keeps logs and locks beside its file, and leaves them there when it fails.
        built = Path(staging) / "database"
        try:
            build(module, built, stage(source, Path(staging)), source, settings)
            _check_counts(module, built, source, settings)
        except RuntimeError as error:
            hint = "; give it more with --buffer-pool" if "Buffer manager" in str(error) else ""
            raise KgrelError(f"{out}: the database could not be built ({_first_line(error)}){hint}") from None
        with atomic_file(out, overwrite) as partial:
            built.replace(partial)


def load_module() -> Any:
    """The database's package.

    Raises:
        KgrelError: it is not installed.
    """
    try:
        import ladybug
    except ImportError:
        raise KgrelError("a Ladybug file needs the extra: pip install 'kgrel[ladybug]'") from None
    return ladybug


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _properties(source: EdgeSource) -> list[Field]:
    return [field for field in source.fields if field.name not in _TRIPLE]


def stage(source: EdgeSource, directory: Path) -> dict[str, Path]:
    """Write the nodes, and the edges of each predicate, as Arrow files; returns those of the predicates."""
    nodes = node_table(source.nodes())
    with pa.ipc.new_file(str(directory / _NODES), nodes.schema) as writer:
        writer.write_table(nodes)
    properties = _properties(source)
    schema = pa.schema([("from", pa.string()), ("to", pa.string()), *edge_schema(properties)])
    files = {predicate: directory / f"edges-{place}.arrow" for place, predicate in enumerate(source.predicates)}
    with ExitStack() as stack:
        writers = {name: stack.enter_context(pa.ipc.new_file(str(path), schema)) for name, path in files.items()}
        for batch in source.batches():
            table = edge_table(source.fields, batch)
            renamed = table.select(["subject", "object", *(field.name for field in properties)]).cast(
                pa.schema([("subject", pa.string()), ("object", pa.string()), *edge_schema(properties)])
            )
            for name in pc.unique(table.column("predicate")).to_pylist():
                mine = renamed.filter(pc.equal(table.column("predicate"), name))
                writers[name].write_table(mine.rename_columns(schema.names))
    return files


def build(module: Any, path: Path, files: dict[str, Path], source: EdgeSource, settings: LadybugSettings) -> None:
    """Copy what :func:`stage` wrote into a new database."""
    columns = ", ".join(f"{quoted(field.name)} {_TYPES[field.kind]}" for field in _properties(source))
    with _Database(module, path, settings) as run:
        run(f"CREATE NODE TABLE {BASE_LABEL}(id STRING PRIMARY KEY, category STRING[], name STRING)")
        if files:
            run.copy(BASE_LABEL, next(iter(files.values())).with_name(_NODES))
        for predicate, file in files.items():
            run(f"CREATE REL TABLE {quoted(predicate)}(FROM {BASE_LABEL} TO {BASE_LABEL}, {columns})")
            run.copy(quoted(predicate), file)
        run("CHECKPOINT")


def _check_counts(module: Any, path: Path, source: EdgeSource, settings: LadybugSettings) -> None:
    with _Database(module, path, settings, read_only=True) as run:
        nodes = run(f"MATCH (n:{BASE_LABEL}) RETURN count(n)")
        edges = sum(run(f"MATCH ()-[r:{quoted(name)}]->() RETURN count(r)") for name in source.predicates)
    if (nodes, edges) != (source.node_count, source.edge_count):
        found, wanted = f"{nodes:,} nodes and {edges:,} edges", f"{source.node_count:,} and {source.edge_count:,}"
        raise KgrelError(f"{path}: the database holds {found} instead of {wanted}; it was discarded")


class _Database:
    """An open database; calling it runs one statement and gives the first value of its answer."""

    def __init__(self, module: Any, path: Path, settings: LadybugSettings, read_only: bool = False) -> None:
        self._database = module.Database(str(path), buffer_pool_size=settings.buffer_pool << 20, read_only=read_only)
        self._connection = module.Connection(self._database)

    def __call__(self, statement: str) -> Any:
        answer = self._connection.execute(statement)
        value = answer.get_next()[0] if answer.has_next() else None
        answer.close()
        return value

    def copy(self, table: str, path: Path) -> None:
        """Copy an Arrow file into an empty table."""
        with pa.memory_map(str(path)) as file:
            # The database finds the rows by the name of this variable.
            arrow_rows = pa.ipc.open_file(file).read_all()
            self(f"COPY {table} FROM arrow_rows")
            del arrow_rows

    def __enter__(self) -> _Database:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._database.close()
