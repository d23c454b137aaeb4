"""Relation search: nearest neighbours in the space of relations z."""
