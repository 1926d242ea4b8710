"""Rules across the fields of an inference that a JSON Schema can't say. Source: runai §§3.2 to 3.5.

Each takes (document, settings) and yields findings; a value that is not known yet is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.fields import Check, Finding
from reconciler.fields.rule import release
from reconciler.providers.runai.compute_checks import compute
from reconciler.providers.runai.duplicate_checks import duplicates
from reconciler.providers.runai.scaling_checks import autoscaling
from reconciler.providers.runai.storage_checks import storage
from reconciler.providers.runai.versions import version_of
from reconciler.spec.values import is_pending

__all__ = ["ALL", "reserved_annotations"]

_SOURCES: Final = ("value", "secret", "configMap", "podFieldRef", "userCredential")
_LABEL: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY: Final = re.compile(
    r"(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
)
_VALUES_OF: Final = {"In": "some", "NotIn": "some", "Exists": "none", "DoesNotExist": "none", "Gt": "one", "Lt": "one"}


def authorization(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Users or groups, never both, and as authorizationType says. Source: runai §3.2, §3.4."""
    spec = document.get("spec") or {}
    places = [("servingPort", spec.get("servingPort"))]
    urls = spec.get("exposedUrls")
    places += [(f"exposedUrls[{index}]", item) for index, item in enumerate(urls if isinstance(urls, list) else ())]
    for path, item in places:
        if isinstance(item, Mapping):
            yield from _callers(path, item, version_of(settings))


def _callers(path: str, item: Mapping[str, Any], version: str) -> Iterator[Finding]:
    kind = item.get("authorizationType")
    lists = [name for name in ("authorizedUsers", "authorizedGroups") if item.get(name)]
    if len(lists) > 1:
        yield Finding(
            code="not-allowed-here",
            path=f"{path}.authorizedGroups",
            wrong="authorizedUsers and authorizedGroups exclude one another",
            expected="one of the two",
            others=(f"{path}.authorizedUsers",),
        )
    if is_pending(kind):
        return
    needed = {"authorizedUsersOrGroups": "authorizedUsers or authorizedGroups"}.get(str(kind), str(kind))
    if kind in {"authorizedUsersOrGroups", "authorizedUsers", "authorizedGroups"}:
        if not any(name in needed for name in lists):
            yield Finding(
                code="missing-field",
                path=f"{path}.authorizationType",
                wrong=f"authorizationType is {kind}, and the list of those who may call is missing",
                expected=f"{needed} beside it",
            )
        # Of exposed URLs, the field itself came with these words.
        if path == "servingPort" and kind != "authorizedUsersOrGroups" and release(version) < release("2.24"):
            yield Finding(
                code="not-in-version",
                path=f"{path}.authorizationType",
                wrong=f"authorizationType {kind} does not exist in Run:ai {version}",
                expected="public, authenticatedUsers or authorizedUsersOrGroups",
            )
    elif kind in {"public", "authenticatedUsers"} and lists:
        yield Finding(
            code="not-allowed-here",
            path=f"{path}.{lists[0]}",
            wrong=f"{lists[0]} is written, and authorizationType is {kind}",
            expected=f"authorizationType: {_listed(path, lists[0])}, or no list",
        )


def _listed(path: str, name: str) -> str:
    """The word for callers of a list; exposed URLs have no `authorizedUsersOrGroups`."""
    return "authorizedUsersOrGroups" if path == "servingPort" else name


def environment(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Exactly one source for each variable. Source: runai §3.2."""
    for index, item in _items(document, "environmentVariables"):
        given = [name for name in _SOURCES if item.get(name) is not None]
        if item.get("exclude") is True or is_pending(item.get("exclude")) or len(given) == 1:
            continue
        yield Finding(
            code="one-of",
            path=f"environmentVariables[{index}]" + (f".{given[1]}" if given else ""),
            wrong=f"{' and '.join(given)} are written for one variable" if given else "the variable has no value",
            expected=f"exactly one of {', '.join(_SOURCES)}",
        )


def tolerations(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterable[Finding]:
    """`seconds` with NoExecute, `value` with Equal; names and effects by release. Source: runai §3.2."""
    version = version_of(settings)
    for index, item in _items(document, "tolerations"):
        path = f"tolerations[{index}]"
        effect = item.get("effect")
        if item.get("seconds") is not None and effect != "NoExecute" and not is_pending(effect):
            yield Finding(
                code="not-allowed-here",
                path=f"{path}.seconds",
                wrong=f"seconds is written, and effect is {effect or 'not written'}",
                expected="effect: NoExecute, or no seconds",
            )
        if item.get("operator") == "Exists" and item.get("value"):
            yield Finding(
                code="not-allowed-here",
                path=f"{path}.value",
                wrong="operator Exists takes no value",
                expected="operator: Equal, or no value",
            )
        if not item.get("name") and release(version) < release("2.21"):
            yield Finding(
                code="missing-field",
                path=path,
                wrong=f"a toleration has no name, which Run:ai {version} demands",
                expected="name",
            )
        if effect == "Any" and release(version) < release("2.19"):
            yield Finding(
                code="not-in-version",
                path=f"{path}.effect",
                wrong=f"effect Any does not exist in Run:ai {version}",
                expected="NoSchedule, NoExecute or PreferNoSchedule",
            )


def affinity(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """How many values an operator takes. Source: runai §3.2."""
    terms = _section(document, "nodeAffinityRequired").get("nodeSelectorTerms")
    for number, term in enumerate(terms if isinstance(terms, list) else ()):
        expressions = term.get("matchExpressions") if isinstance(term, Mapping) else None
        for index, item in enumerate(expressions if isinstance(expressions, list) else ()):
            wanted, count = _VALUES_OF.get(str(item.get("operator")), ""), len(item.get("values") or ())
            good = {"some": count > 0, "none": count == 0, "one": count == 1, "": True}[wanted]
            if not good:
                yield Finding(
                    code="wrong-count",
                    path=f"nodeAffinityRequired.nodeSelectorTerms[{number}].matchExpressions[{index}].operator",
                    wrong=f"operator {item['operator']} has {count} values",
                    expected={"some": "one or more values", "none": "no values", "one": "exactly one value"}[wanted],
                )


def security(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """User and group ids only where they don't come from the image. Source: runai §3.5."""
    section = _section(document, "security")
    source = section.get("uidGidSource") or "fromTheImage"
    if source == "fromTheImage":
        for name in ("runAsUid", "runAsGid", "supplementalGroups"):
            if section.get(name) not in (None, ""):
                yield Finding(
                    code="not-allowed-here",
                    path=f"security.{name}",
                    wrong=f"{name} is written, and uidGidSource is fromTheImage",
                    expected=f"uidGidSource: custom or fromIdpToken, or no {name}",
                )
    if section.get("seccompProfileType") == "Localhost":
        yield Finding(
            code="not-supported",
            path="security.seccompProfileType",
            wrong="Localhost is a value of the schema that the server does not support",
            expected="RuntimeDefault or Unconfined",
        )


def label_values(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Labels land on Kubernetes pods, so that their values keep Kubernetes' rule. Source: runai §3.2 inferred."""
    for index, item in _items(document, "labels"):
        value = item.get("value")
        if isinstance(value, str) and _LABEL.fullmatch(value) is None:
            yield Finding(
                code="bad-format",
                path=f"labels[{index}].value",
                wrong="a label's value does not fit Kubernetes' rule",
                expected="up to 63 letters, digits, -, _ and ., with a letter or digit at both ends; or an annotation",
            )


def keys(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Labels and annotations land on pods, so that their keys keep Kubernetes' rule. Source: runai §3.2 inferred."""
    for section in ("annotations", "labels"):
        for index, item in _items(document, section):
            name = item.get("name")
            if isinstance(name, str) and _KEY.fullmatch(name) is None:
                yield Finding(
                    code="bad-format",
                    path=f"{section}[{index}].name",
                    wrong=f"{name!r} is no key that Kubernetes takes",
                    expected="letters, digits, -, _ and . with a letter or digit at both ends; "
                    "before it, if wanted, a domain and /: example.com/team",
                )


def reserved_annotations(*names: str) -> Check:
    """A check that keeps our own annotations out of the spec."""

    def check(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
        for section in ("annotations", "labels"):
            for index, item in _items(document, section):
                if item.get("name") in names:
                    yield Finding(
                        code="reserved-name",
                        path=f"{section}[{index}].name",
                        wrong=f"{item['name']} is how a resource of ours is known again",
                        expected="another name",
                    )

    return check


ALL: Final[tuple[Check, ...]] = (
    compute,
    autoscaling,
    authorization,
    environment,
    tolerations,
    affinity,
    storage,
    security,
    label_values,
    keys,
    duplicates,
)


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = (document.get("spec") or {}).get(name)
    return value if isinstance(value, Mapping) else {}


def _items(document: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    value = (document.get("spec") or {}).get(name)
    for index, item in enumerate(value if isinstance(value, list | tuple) else ()):
        if isinstance(item, Mapping):
            yield index, item
