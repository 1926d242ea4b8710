"""NVIDIA Run:ai inference workloads, control-plane REST API v1, releases 2.18 to 2.24."""

from reconciler.emulator.runai.module import Runai

__all__ = ["MODULES"]

MODULES = (Runai,)
