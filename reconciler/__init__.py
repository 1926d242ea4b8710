"""Declarative GitOps spec compiler and reconciler for AI compute."""

__version__ = "0.1.0"
"""Written here alone: `pyproject.toml` takes it from here, and to ask the installed metadata costs each start 16 ms."""
