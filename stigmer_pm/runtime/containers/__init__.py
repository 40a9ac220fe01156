"""Runs of containers on a Docker engine."""
