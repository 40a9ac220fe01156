"""Probes against real servers and real processes."""
