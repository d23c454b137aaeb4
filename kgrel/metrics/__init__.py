"""Classification metrics, thresholds, bootstrap intervals. Imports nothing of kgrel."""
