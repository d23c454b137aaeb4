"""Typed knowledge graphs: readers of the usual formats, the GRAPH artifact, its views and what it holds."""
