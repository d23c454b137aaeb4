"""``build-corpus``: documents and lexicons in, a CORPUS artifact out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kgrel.data.artifact import Artifact, Kind, Manifest, create_artifact, open_artifact
from kgrel.data.claims import claim, release
from kgrel.data.entities import canonical_type
from kgrel.data.errors import InputError, KgrelError
from kgrel.data.files import (
    canonical_json,
    empty_directory,
    open_input,
    refuse_existing,
    remove_tree,
    sha256_of,
    write_text,
)
from kgrel.data.progress import Progress, Silent
from kgrel.data.settings import to_json
from kgrel.text.badlines import BadLines
from kgrel.text.disambiguation import Disambiguator
from kgrel.text.lexicon import Lexicon, build_lexicon, read_lexicon
from kgrel.text.merge import Totals, frequent_names, merge, total
from kgrel.text.settings import BuildCorpusSettings
from kgrel.text.shards import Plan, make_shards

IDENTITY = "identity.json"


def build_corpus(
    inputs: Sequence[Path],
    lexicons: Sequence[tuple[str, Path]],
    out: Path,
    settings: BuildCorpusSettings | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    processes: int = 1,
    disambiguator: Disambiguator | None = None,
) -> Artifact:
    """Tag documents, pair the entities of each sentence, and store the contexts.

    Same input, same bytes, with any number of processes. Killed at any time, the same command goes on with the shards
    that are not complete; they wait in a directory beside ``out``.

    Args:
        inputs: files read by :func:`kgrel.text.readers.read_documents`.
        lexicons: (type, file) of each lexicon, see :func:`kgrel.text.lexicon.read_lexicon`; none is needed if the
            inputs bring their mentions.
        out: the directory to write; its manifest's ``summary`` holds the counts.
        overwrite: replace an artifact that is there, and drop shards of an unfinished run.
        processes: worker processes that tag; 1 = none beside this one.
        disambiguator: decides the type of names that entities of several types have; without it, they are not tagged.

    Returns:
        The artifact, to be read with :class:`kgrel.text.corpus.Corpus`.

    Raises:
        KgrelError: ``out`` exists, no input is given, no sentence names two entities, a worker process died, or shards
            of another run wait beside ``out``.
        InputError: an input cannot be used; nothing is left behind then.
    """
    settings, progress = settings or BuildCorpusSettings(), progress or Silent()
    if not inputs:
        raise KgrelError("a corpus needs at least one file of sentences or documents")
    if processes < 1:
        raise KgrelError(f"processes must be at least 1, not {processes}")
    parents = input_hashes(inputs, lexicons)
    if disambiguator is not None:
        parents["typing"] = disambiguator.hash
    manifest = Manifest(Kind.CORPUS, to_json(settings), settings.seed, parents)
    refuse_existing(out, overwrite)
    lexicon, bad_rows = _read_lexicons(lexicons, settings, progress)
    work = _start_work(out, manifest, overwrite)
    bad = BadLines(settings.strict)
    try:
        progress.start("tagging sentences", None)
        plan = Plan(inputs, work, lexicon, settings, disambiguator, processes)
        paths = make_shards(plan, bad, progress)
        totals = total(paths, lexicon)
        if not totals.contexts:
            files = ", ".join(str(path) for path in inputs)
            message = "no sentence names two different entities of the lexicons; check that they fit together"
            raise InputError(files, message + bad.told)
        with create_artifact(out, manifest, overwrite) as draft:
            draft.summary |= _summary_of_lexicon(lexicon, bad_rows) | _summary_of_input(totals, bad)
            draft.summary |= merge(paths, totals, lexicon, settings, draft.path, progress)
    except InputError:
        _end_work(work)
        raise
    _end_work(work)
    artifact = open_artifact(out, Kind.CORPUS, verify=False)
    _tell(artifact.manifest.summary, progress)
    return artifact


def input_hashes(inputs: Sequence[Path], lexicons: Sequence[tuple[str, Path]]) -> dict[str, str]:
    """Role → SHA-256 of each input file."""
    roles = [(f"sentences-{number}", path) for number, path in enumerate(inputs, start=1)]
    roles += [
        (f"lexicon-{number}-{canonical_type(kind)}", path) for number, (kind, path) in enumerate(lexicons, start=1)
    ]
    hashes = {}
    for role, path in roles:
        if str(path) == "-":
            raise KgrelError("build-corpus records the hash of each input, so none can be standard input")
        with open_input(path):
            hashes[role] = sha256_of(Path(path))
    return hashes


def _start_work(out: Path, manifest: Manifest, overwrite: bool) -> Path:
    """The directory of the shards, with those of an unfinished run if it was the same.

    Raises:
        KgrelError: it holds shards of another run, or cannot be made.
    """
    work = out.with_name(f".{out.name}.shards")
    identity = canonical_json({"settings": manifest.settings, "parents": manifest.parents})
    if work.is_dir():
        claim(work, out)
    if overwrite:
        release(work)
        remove_tree(work)
    if (work / IDENTITY).exists():
        stored = (work / IDENTITY).read_text(encoding="utf-8")
        if stored != identity:
            differing = ", ".join(_differing(json.loads(stored), json.loads(identity)))
            raise KgrelError(
                f"{work} holds shards of an unfinished run with another {differing}; "
                "repeat that command, or pass --overwrite to start afresh"
            )
        return work
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KgrelError(f"{work} cannot be made ({error.strerror}); choose another output") from None
    claim(work, out)
    empty_directory(work)  # a run that was killed while it made or deleted the directory
    write_text(work / IDENTITY, identity)
    return work


def _end_work(work: Path) -> None:
    release(work)
    remove_tree(work)


def _differing(stored: dict[str, dict[str, Any]], current: dict[str, dict[str, Any]]) -> list[str]:
    """The settings and inputs that differ between two identities."""
    return [
        key
        for part, values in current.items()
        for key in sorted(values.keys() | stored.get(part, {}).keys())
        if values.get(key) != stored.get(part, {}).get(key)
    ]


def _read_lexicons(
    lexicons: Sequence[tuple[str, Path]], settings: BuildCorpusSettings, progress: Progress
) -> tuple[Lexicon, BadLines]:
    progress.start("reading lexicons", len(lexicons))
    bad, terms = BadLines(settings.strict), []
    for kind, path in lexicons:
        terms += read_lexicon(kind, path, settings, bad)
        progress.advance(1)
    return build_lexicon(terms, settings), bad


def _summary_of_lexicon(lexicon: Lexicon, bad: BadLines) -> dict[str, Any]:
    return {
        "lexicon_entities": len(lexicon.terms),
        "lexicon_names": len(lexicon.names),
        "lexicon_names_ambiguous": len(lexicon.ambiguous),
        "lexicon_names_ambiguous_within_a_type": lexicon.ambiguous_within,
        "lexicon_names_decided_by_priority": lexicon.by_priority,
        "lexicon_names_stopped": len(lexicon.stopped),
        "lexicon_names_unfit": lexicon.unfit,
        "lexicon_bad_lines": bad.count,
        "lexicon_bad_lines_first": bad.first,
    }


def _summary_of_input(totals: Totals, bad: BadLines) -> dict[str, Any]:
    found: dict[str, Any] = {"bad_lines": bad.count, "bad_lines_first": bad.first}
    return totals.counts | found | {"frequent_names": frequent_names(totals)}


def _tell(summary: dict[str, Any], progress: Progress) -> None:
    for name, contexts in sorted(summary["contexts_by_class"].items()):
        progress.say(f"{name}: {contexts:,} contexts of {summary['pairs_by_class'][name]:,} pairs")
    for kind in ("lexicon_bad_lines", "bad_lines"):
        if summary[kind]:
            progress.say(f"{summary[kind]:,} bad lines left out, e.g. {summary[kind + '_first'][0]}")
