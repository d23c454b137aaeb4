"""Artifacts on disk, tables in and out, entity identity. Imports nothing of kgrel."""
