"""Help of commands with many options: those that several commands share stand below, under headings of their own."""

from __future__ import annotations

from typing import Any, Final

import click

__all__ = ["COMMON", "PERMISSIONS", "SELECTION", "Sectioned", "SectionedGroup", "Shared"]

PERMISSIONS: Final = "What a person allows for one run"
SELECTION: Final = "Selection (nothing outside of it is touched)"
COMMON: Final = "Common options"
_LONGEST: Final = 200
"""Characters of a first sentence."""


class Shared(click.Option):
    """An option of several commands, under a heading."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Sectioned(click.Command):
    """Its own options first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list for each heading, in the order of the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                heading = param.section if isinstance(param, Shared) else "Options"
                sections.setdefault(heading, []).append(record)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


class SectionedGroup(click.Group):
    """A group of such commands."""

    command_class = Sectioned

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with its whole first sentence."""
        named = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(_LONGEST)) for name, one in named if one is not None])
