"""Nodes to nouns and back, the worker driver, verbs for scripts. Ring 9: no Qt, no widget, nothing heavy."""
