"""Lexicons, tagger, tokens, and the store of contexts that training reads."""
