"""Are rare pairs scored less confidently, and are probabilities honest, also for pairs that no sentence names?

    kgrel evaluate-pairs runs/calibrated --by-frequency --no-baselines --json > runs/report.json
    python benchmarks/uncertainty.py --report runs/report.json --any runs/calibrated-any

``--report``: of a calibrated classifier of co-mentioned pairs; its test pairs answer the first question. ``--any``: a
classifier trained with ``--pairs any``, which has listed and random pairs that were never co-mentioned.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS, WORK, hardware, load, save, today

from kgrel.evaluate.calibration import calibration_report
from kgrel.evaluate.plots import draw_report
from kgrel.evaluate.settings import EvaluationSettings
from kgrel.train.pair_data import Part
from kgrel.train.pair_model import PairModel


def by_strata(model: PairModel, settings: EvaluationSettings) -> dict[str, Any]:
    """Calibration on the test pairs with and without a common context, and what ``calibrate`` found."""
    rows = model.data.rows(Part.TEST)
    seen = model.data.contexts[rows] > 0
    assert model.artifact is not None
    strata = {"co_mentioned": rows[seen], "never_co_mentioned": rows[~seen]}
    found: dict[str, Any] = {name: calibration_report(model, part, settings) for name, part in strata.items()}
    for name, part in strata.items():
        found[name] |= {"all_pairs": len(part), "all_listed": int(np.sum(model.data.positive[part]))}
    return {"fit": model.artifact.manifest.summary["calibration"], "test": found}


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, help="JSON of evaluate-pairs --by-frequency")
    parser.add_argument("--any", type=Path, help="calibrated PAIRS of any pairs")
    parser.add_argument("--quick", action="store_true", help="20 draws; not kept")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON line, last")
    options = parser.parse_args()
    settings = EvaluationSettings(draws=20 if options.quick else 1000, baselines=False)
    result = load("uncertainty") | {"date": today(), "hardware": hardware(), "draws": settings.draws}
    if options.report is not None:
        report = json.loads(options.report.read_text(encoding="utf-8"))
        if "by_frequency" not in report:
            parser.error(f"{options.report} has no by_frequency; run evaluate-pairs with --by-frequency --json")
        result |= {key: report[key] for key in ("settings", "calibration", "by_frequency")}
        draw_report(report, (WORK if options.quick else RESULTS) / "uncertainty.png")
    if options.any is not None:
        result["any"] = {"artifact": options.any.name, **by_strata(PairModel.open(options.any), settings)}
    if not options.quick:
        save("uncertainty", result)
    if options.json:
        print(json.dumps(result, allow_nan=False))


if __name__ == "__main__":
    main()
