"""Measurements whose printed tables the README quotes, each beside its baseline."""
