"""The modules of the emulator, found by their packages, and their switches as a page that people read."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

import reconciler.emulator
from reconciler.emulator.switches import Switches
from reconciler.emulator.wire import Module

__all__ = ["modules", "switch_page", "switch_tables"]


def modules() -> list[Module]:
    """One of each module that a package below `reconciler.emulator` exports in `MODULES`."""
    found: list[Module] = []
    for package in pkgutil.iter_modules(reconciler.emulator.__path__, "reconciler.emulator."):
        if package.ispkg:
            exported: Iterable[type[Module]] = getattr(importlib.import_module(package.name), "MODULES", ())
            found.extend(module() for module in exported)
    return found


def switch_tables() -> dict[str, Switches]:
    """Module name → its switches, in the order of the modules."""
    return {module.name: module.switches for module in modules()}


def switch_page() -> str:
    """All switches as Markdown, a table a module."""
    head = "| switch | values, the default first | what it changes |\n| --- | --- | --- |"
    parts = []
    for name, table in switch_tables().items():
        rows = [f"| `{row.name}`{' *' if row.ours else ''} | {row.told} | {row.does} |" for row in table.rows]
        parts.append("\n".join([f"**{name}**\n", head, *rows]))
    return "\n\n".join(parts) + "\n"
