"""Theta EdgeCloud: controller (templates, deployments) and API host (machines), written from `providers/theta.md`."""

from __future__ import annotations

from reconciler.emulator.theta.module import Theta

__all__ = ["MODULES"]

MODULES = (Theta,)
