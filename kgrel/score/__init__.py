"""Scoring entity pairs: lists in, the same lists out."""
