"""Hostile input: files, texts, requests and bytes that nobody sends by mistake, and some that people do.

``make test`` runs a few hundred of each kind, always the same ones; ``make fuzz`` runs as many as are asked for.
"""
