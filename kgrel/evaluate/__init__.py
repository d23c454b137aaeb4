"""Whole evaluations by one protocol: split first, thresholds from validation, intervals over entities."""
