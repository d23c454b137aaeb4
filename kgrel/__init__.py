"""kgrel: link prediction and relation extraction for biomedical knowledge graphs.

Importing this package loads no torch; each station of the line is its own sub-package.
"""

__version__ = "0.1.0.dev0"
