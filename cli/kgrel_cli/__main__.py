"""``python -m kgrel_cli``."""

from kgrel_cli.main import main

main()
