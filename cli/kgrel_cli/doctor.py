"""``kgrel doctor``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from kgrel_cli.options import INPUT, print_summary

IN_GIB = ("memory", "disk")


@click.command("doctor")
@click.option("--where", type=INPUT, default=".", show_default=True, help="Directory whose disk is looked at.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def command(where: Path, as_json: bool) -> None:
    """Show what this installation and this machine can do: versions, extras, device, FAISS, threads, memory, disk.

    Exits with 1 where something is wrong, and says what to do.

    \b
    Examples:
      kgrel doctor
      kgrel doctor --json
    """
    from kgrel.apps.doctor import examine

    found = examine(where)
    problems = found["problems"]
    print_summary(found if as_json else for_reading(found), as_json)
    for problem in problems:
        click.echo(f"kgrel: {problem}", err=True)
    if problems:
        sys.exit(1)


def for_reading(found: dict[str, Any]) -> dict[str, Any]:
    """What was found, with its units; the problems follow on stderr."""
    return {f"{part} (GiB)" if part in IN_GIB else part: value for part, value in found.items()} | {
        "problems": len(found["problems"])
    }
