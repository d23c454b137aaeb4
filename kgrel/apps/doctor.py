"""``doctor``: what this installation and this machine can do, and what is wrong with them."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import kgrel
from kgrel.data.errors import KgrelError

GIB = 2**30
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where a container's limit on memory stands, as version 2 and version 1 of control groups have it."""
LITTLE_MEMORY, LITTLE_DISK = 4.0, 5.0
"""GiB below which the sizes of the documentation do not fit."""


def examine(where: str | Path = ".") -> dict[str, Any]:
    """What is installed and what the machine offers.

    Args:
        where: directory whose disk is looked at.

    Returns:
        ``versions``; ``extras``, each with what it lacks; ``device``, ``faiss``, ``threads``, ``memory`` and ``disk``
        (GiB); ``problems``, one sentence each, empty where all is well.

    Raises:
        KgrelError: ``where`` is no directory.
    """
    if not Path(where).is_dir():
        raise KgrelError(f"{where} is no directory; name one whose disk is to be looked at")
    needed, extras = requirements()
    problems = [f"{wanted} is needed, but {state}; install kgrel again" for wanted, state in unmet(needed)]
    found: dict[str, Any] = {
        "versions": {"kgrel": kgrel.__version__, "python": platform.python_version(), "system": platform.platform()}
        | {one.name: version_of(one.name) for one in needed},
        "extras": {name: extra_state(name, wanted) for name, wanted in sorted(extras.items())},
    }
    for part, look in {"device": device_facts, "faiss": faiss_facts, "threads": thread_facts}.items():
        try:
            found[part] = look()
        except (ImportError, OSError) as error:  # a package without its own parts, a shared library that is not there
            found[part] = None
            problems.append(f"{part}: {' '.join(str(error).split())}")
    found |= {"memory": memory_facts(), "disk": disk_facts(where)}
    return found | {"problems": problems + shortages(found)}


def requirements() -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """What the installed kgrel says that it needs, always and for each of its extras."""
    needed, extras = list[Requirement](), dict[str, list[Requirement]]()
    try:
        stated = metadata.distribution("kgrel")
    except metadata.PackageNotFoundError:
        return needed, extras
    names = stated.metadata.get_all("Provides-Extra") or []
    for requirement in map(Requirement, stated.requires or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed.append(requirement)
            continue
        for name in names:
            if requirement.marker.evaluate({"extra": name}):
                extras.setdefault(name, []).append(requirement)
    return needed, extras


def version_of(name: str) -> str | None:
    """The installed version of a package, None if there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def unmet(wanted: list[Requirement]) -> list[tuple[Requirement, str]]:
    """The requirements that the installed packages do not meet, and what is there instead."""
    found = []
    for one in wanted:
        version = version_of(one.name)
        if version is None:
            found.append((one, "it is not installed"))
        elif not one.specifier.contains(version, prereleases=True):
            found.append((one, f"{version} is installed"))
    return found


def extra_state(name: str, wanted: list[Requirement]) -> str:
    """``installed``, or what is missing and how to get it."""
    lacking = ", ".join(one.name for one, _ in unmet(wanted))
    return f"absent ({lacking}): pip install 'kgrel[{name}]'" if lacking else "installed"


def device_facts() -> dict[str, Any]:
    """Where torch computes, and what ``auto`` means here."""
    import torch

    from kgrel.train.devices import resolve_device, resolve_precision

    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return {
        "gpus": [f"{gpu.name}, {gpu.total_memory / GIB:.0f} GiB" for gpu in gpus],
        "auto_device": resolve_device("auto"),
        "auto_precision": resolve_precision("auto", "auto"),
    }


def faiss_facts() -> dict[str, Any]:
    """Which FAISS searches, and on what."""
    from kgrel.search.library import faiss_library

    try:
        library = faiss_library()
    except KgrelError as error:
        return {"version": None, "note": str(error)}
    gpus = getattr(library, "get_num_gpus", int)()
    return {"version": library.__version__, "gpus": gpus, "threads": library.omp_get_max_threads()}


def thread_facts() -> dict[str, Any]:
    """Cores, those that this process may use, and the threads of torch."""
    import torch

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    said = os.environ.get("OMP_NUM_THREADS")
    return {"cores": os.cpu_count(), "usable": usable, "torch": torch.get_num_threads(), "OMP_NUM_THREADS": said}


def memory_facts() -> dict[str, float | None]:
    """Memory of the machine, what is free of it, and the limit of the container, in GiB; None = not known."""
    facts = {"MemTotal": None, "MemAvailable": None} | meminfo(Path("/proc/meminfo"))
    limits = [int(text) for text in map(text_of, CGROUP_LIMITS) if text.isdigit()]
    total = facts["MemTotal"]
    limit = min(limits) / GIB if limits else None
    if limit is not None and total is not None and limit >= total:
        limit = None  # version 1 writes a huge number for none
    return {"total": total, "available": facts["MemAvailable"], "limit": limit}


def meminfo(path: Path) -> dict[str, float]:
    """Linux's table of memory in GiB; empty elsewhere."""
    rows = [line.split() for line in text_of(path).splitlines()]
    return {row[0].rstrip(":"): int(row[1]) * 1024 / GIB for row in rows if len(row) > 1 and row[1].isdigit()}


def text_of(path: str | Path) -> str:
    """The content of a small file, empty if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def disk_facts(where: str | Path) -> dict[str, float]:
    """Free space of a directory, and of the one for temporary files, in GiB."""
    places = {"here": where, "temporary": tempfile.gettempdir()}
    return {name: shutil.disk_usage(place).free / GIB for name, place in places.items()}


def shortages(found: dict[str, Any]) -> list[str]:
    """What there is too little of."""
    problems = []
    available = min((value for value in found["memory"].values() if value is not None), default=None)
    if available is not None and available < LITTLE_MEMORY:
        problems.append(f"only {available:.1f} GiB of memory can be had; use --size tiny and few contexts")
    if found["disk"]["here"] < LITTLE_DISK:
        problems.append(f"only {found['disk']['here']:.1f} GiB are free here; a full disk ends a training")
    if found["threads"]:
        started, usable = found["threads"]["torch"], found["threads"]["usable"]
        if usable and started > usable:
            problems.append(f"torch starts {started} threads on {usable} cores; set OMP_NUM_THREADS={usable}")
    return problems
