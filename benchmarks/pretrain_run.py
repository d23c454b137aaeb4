"""Keep the curves of a pretraining of the real corpus: results/pretrain_run.json.

    kgrel pretrain runs/corpus --out runs/repr-two-epochs --recipe paper --steps 4200 --learning-rate 1e-3 \\
        --warm-up-steps 100 --kl-steps 2000 --softmax sampled --bag-weight 1 --validate-every 420 --probe-every 1400 \\
        --precision bf16 --relations RELATIONS
    python benchmarks/pretrain_run.py runs/repr-two-epochs
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common import hardware, save, today

from kgrel.data.artifact import LOG, Kind, open_artifact


def main() -> None:
    """Copy settings and log of a finished REPR."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representation", type=Path)
    parser.add_argument("--quick", action="store_true", help="do not keep the result")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    manifest = open_artifact(options.representation, Kind.REPRESENTATION).manifest
    result = {
        "date": today(),
        "hardware": hardware(),
        "settings": manifest.settings,
        "contexts": manifest.summary["contexts"],
        "curve": [json.loads(line) for line in (options.representation / LOG).read_text().splitlines()],
    }
    if not options.quick:
        save("pretrain_run", result)
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
