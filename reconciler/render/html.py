"""Plans and drift as one HTML file each: nothing is fetched, no text becomes markup, equal data gives equal bytes.

The templates, the style and the script are texts that the caller reads (`pages/`). The page's policy lets a browser
take this style and this script by their hashes, and nothing else from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from reconciler.render.html_drift import drift_view
from reconciler.render.html_plan import plan_view
from reconciler.render.safe import for_terminal

__all__ = ["drift_html", "plan_html"]


def plan_html(plan: Mapping[str, Any], pages: Mapping[str, str], mask: Callable[[str], str] = str) -> str:
    """A plan (as `plan_json` or a saved file has it) as a page.

    Args:
        plan: With `resources`, as a saved one has them, the graph also shows what does not change.
        pages: File name → text, of all files in `pages/`.
        mask: Hides secrets in a text: everything from the plan goes through it, one text at a time.
    """
    return _page("plan.html", plan_view(plan), pages, mask)


def drift_html(drift: Mapping[str, Any], pages: Mapping[str, str], mask: Callable[[str], str] = str) -> str:
    """Drift (as `drift_json` has it) as a page; arguments as for `plan_html`."""
    return _page("drift.html", drift_view(drift), pages, mask)


def _page(template: str, view: Mapping[str, Any], pages: Mapping[str, str], mask: Callable[[str], str]) -> str:
    def shown(value: object) -> object:
        """What a template puts in: our own markup and numbers as they are, texts without what fools a reader."""
        return value if isinstance(value, Markup | int) else for_terminal(mask(str(value)))

    environment = Environment(
        loader=DictLoader(pages),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = pages["page.css"], pages["page.js"]
    ours = {
        # The texts of this package: the one thing beside the templates that may be markup.
        "style": Markup(style),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "style_hash": _hash(style),
        "script_hash": _hash(script),
    }
    return environment.get_template(template).render(page=view, **ours)


def _hash(text: str) -> str:
    """As a Content Security Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
