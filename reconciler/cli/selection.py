"""`-l`, `--target` and `--provider`: which addresses a command is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from reconciler.problems import Problem, SpecError, nearest

__all__ = ["selection"]

_TERM = re.compile(r"^\s*(?P<key>[^=!\s]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^=!\s]*)\s*$")


def selection(
    labels: str, targets: Sequence[str], provider: str, known: Sequence[str], providers: Sequence[str]
) -> Callable[[str, Mapping[str, str]], bool]:
    """One question for an address and its labels; without any option, everything is selected.

    Args:
        labels: `team=vision,tier!=dev`: all terms must hold.
        targets: Addresses; one of them.
        provider: An instance's name.
        known: Addresses that exist in spec or ledger.
        providers: Names of instances.

    Raises:
        SpecError: `bad-selector`, `unknown-target`, `unknown-provider`.
    """
    problems = [
        Problem(
            code="unknown-target",
            wrong=f"no resource has the address {target!r}",
            expected="an address of the spec or of the ledger, such as theta/Deployment/chat",
            nearest=nearest(target, known),
        )
        for target in targets
        if target not in known
    ]
    if provider and provider not in providers:
        problems.append(
            Problem(
                code="unknown-provider",
                wrong=f"there is no provider {provider!r}",
                expected=f"one of {', '.join(providers)}",
                nearest=nearest(provider, providers),
            )
        )
    terms = [_TERM.match(term) for term in labels.split(",")] if labels else []
    if None in terms:
        problems.append(
            Problem(
                code="bad-selector", wrong=f"not a selector: {labels!r}", expected="key=value or key!=value, by commas"
            )
        )
    if problems:
        raise SpecError(problems)
    wanted = [(term["key"], term["op"] != "!=", term["value"]) for term in terms if term is not None]

    def selected(address: str, has: Mapping[str, str]) -> bool:
        if targets and address not in targets:
            return False
        if provider and address.partition("/")[0] != provider:
            return False
        return all((has.get(key) == value) is equal for key, equal, value in wanted)

    return selected
