"""``kgrel completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that completes verbs, options and file names in SHELL.

    \b
    Examples:
      kgrel completion bash >> ~/.bashrc
      kgrel completion zsh >> ~/.zshrc
      kgrel completion fish > ~/.config/fish/completions/kgrel.fish
    """
    from kgrel_cli.main import COMPLETE, cli

    completion = get_completion_class(shell)
    assert completion is not None  # click knows these shells
    script = completion(cli, {}, "kgrel", COMPLETE)
    # Not script.source(), which for bash asks the installed bash for its version.
    click.echo(script.source_template % script.source_vars())
