"""`-o html`: reads the page's templates from the package, and masks secrets. Loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from reconciler.cli.output import Printer
from reconciler.render.html import drift_html, plan_html

__all__ = ["load_pages", "print_drift_html", "print_plan_html"]


def print_plan_html(data: Mapping[str, Any], printer: Printer) -> None:
    """A plan as a page on stdout."""
    # Masked text by text: a mask in the finished page could meet its own script, whose hash would no longer fit.
    printer.result(plan_html(data, load_pages(), printer.redactor.redact), utf8=True, masked=True)


def print_drift_html(data: Mapping[str, Any], printer: Printer) -> None:
    """Drift as a page on stdout."""
    printer.result(drift_html(data, load_pages(), printer.redactor.redact), utf8=True, masked=True)


@lru_cache(maxsize=1)
def load_pages() -> dict[str, str]:
    """File name → text of the templates, the style and the script."""
    home = resources.files("reconciler") / "render" / "pages"
    return {item.name: item.read_text(encoding="utf-8") for item in home.iterdir() if item.is_file()}
