"""One provider instance of `reconciler.yaml` against its table of settings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.fields.setting import COMMON_SETTINGS, Setting
from reconciler.problems import Origin, Problem, Problems, nearest
from reconciler.spec.document import Node, WrittenFloat
from reconciler.spec.formats import duration, is_uri, is_uuid
from reconciler.spec.resource import Prices, ProviderConfig
from reconciler.spec.values import SecretRef, is_pending

__all__ = ["EMULATOR", "provider_config"]

EMULATOR: Final = "emulator"
_ENDPOINT: Final = Setting(
    name="endpoint",
    type="url",
    doc="Base address of the API, or `emulator` for the embedded emulator.",
    example="https://api.example.com",
)


_PRICES: Final = ("unit", "perHour")


class _Bad(Exception):
    def __init__(self, code: str, wrong: str, expected: str, origin: Origin | None = None, near: str = "") -> None:
        super().__init__(code)
        self.code, self.wrong, self.expected, self.origin, self.near = code, wrong, expected, origin, near


def provider_config(
    name: str, node: Node, types: Mapping[str, Sequence[Setting]], problems: Problems
) -> ProviderConfig | None:
    """The instance with its type's defaults filled in (times in seconds); none when its type is unknown.

    Problems: `unknown-provider-type`, `unknown-field`, `missing-field`, `literal-secret`, `wrong-type`, `bad-format`,
    `not-allowed`.
    """
    kind = node.get("type")
    if kind is None or not isinstance(kind.value, str) or kind.value not in types:
        written = kind.value if kind is not None and isinstance(kind.value, str) else ""
        problems.add(
            Problem(
                code="unknown-provider-type",
                wrong=f"provider {name!r} has type {written!r}" if kind else f"provider {name!r} has no type",
                expected=f"one of {', '.join(sorted(types))}",
                origin=(kind or node).place,
                nearest=nearest(written, types),
            )
        )
        return None
    table = {setting.name: setting for setting in (_ENDPOINT, *COMMON_SETTINGS, *types[kind.value])}
    endpoint = node.get("endpoint")
    embedded = endpoint is not None and endpoint.value == EMULATOR
    settings = _defaults(table, embedded=embedded, local=embedded or _is_local(endpoint))
    for key, entry in node.entries().items():
        if key == "type":
            continue
        try:
            settings[key] = _setting(table, key, entry, embedded=embedded)
        except _Bad as bad:
            problems.add(_located(bad, entry, name))
    if not embedded:
        problems.extend(_missing(table, node, name))
    return ProviderConfig(name=name, type=kind.value, settings=settings, origin=node.key or node.origin)


def _located(bad: _Bad, entry: Node, name: str) -> Problem:
    return Problem(
        code=bad.code,
        wrong=f"provider {name}: {bad.wrong}",
        expected=bad.expected,
        origin=bad.origin or entry.place,
        nearest=bad.near,
    )


def _is_local(endpoint: Node | None) -> bool:
    """Whether the address is one of this machine: what answers there is an emulator."""
    if endpoint is None or not isinstance(endpoint.value, str):
        return False
    try:
        return _loopback(urlsplit(endpoint.value).hostname or "")
    except ValueError:
        return False


def _defaults(table: Mapping[str, Setting], *, embedded: bool, local: bool) -> dict[str, Any]:
    """What is not written. `local`: the emulator's own defaults, embedded or served."""
    result: dict[str, Any] = {}
    for name, setting in table.items():
        emulated = local and setting.emulator_default is not None
        default = setting.emulator_default if emulated else setting.default
        if default is not None and not (embedded and setting.type == "url"):
            result[name] = default
    return result


def _missing(table: Mapping[str, Setting], node: Node, name: str) -> list[Problem]:
    """Settings that must be written, because they are required or because another one needs them."""
    written = node.entries()
    found: list[Problem] = []
    for key, setting in table.items():
        users = [other for other in written if other in table and key in table[other].needs]
        satisfied = key in written or (not users and any(other in written for other in setting.alternatives))
        if satisfied or not (setting.required or users) or (setting.default is not None and not users):
            continue
        why = f" (needed by {', '.join(users)})" if users else ""
        others = f", or {' or '.join(setting.alternatives)}" if setting.alternatives and not users else ""
        found.append(
            Problem(
                code="missing-field",
                wrong=f"provider {name}: {key!r} is missing{why}",
                expected=f"{key}: {_example(setting)}{others}",
                origin=node.key or node.origin,
            )
        )
    misspelt = {nearest(key, table) for key in written if key not in table}
    return [problem for problem in found if problem.expected.partition(":")[0] not in misspelt]


def _example(setting: Setting) -> str:
    if setting.secret:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", setting.name).upper()
        return f"'{{{{ secret(\"{name}\") }}}}'"
    return setting.example or (setting.choices[0] if setting.choices else setting.type)


def _setting(table: Mapping[str, Setting], key: str, node: Node, *, embedded: bool) -> Any:
    setting = table.get(key)
    if setting is None:
        known = sorted([*table, "type"])
        raise _Bad(
            "unknown-field",
            f"unknown key {key!r}",
            f"one of {', '.join(known)}",
            node.key or node.origin,
            nearest(key, known),
        )
    value = node.value
    if setting.secret:
        if not isinstance(value, SecretRef):
            raise _Bad("literal-secret", f"{key} is a credential, and a value of it is written here", _example(setting))
        return value
    if is_pending(value):
        raise _Bad("wrong-type", f"{key} can't be a reference", f"{key}: {_example(setting)}")
    if key == "endpoint" and embedded:
        return value
    return _READERS[setting.type](setting, node)


def _text(setting: Setting, node: Node) -> str:
    if not isinstance(node.value, str) or not node.value:
        shown = _shown(node)
        quoted = isinstance(node.value, int | float)
        wanted = f'text in quotes: "{shown}"' if quoted else f"text, such as {_example(setting)}"
        raise _Bad("wrong-type", f"{setting.name} is {shown}", wanted)
    return node.value


def _shown(node: Node) -> str:
    if isinstance(node.value, dict | tuple):
        return "a map" if node.is_map else "a list"
    if isinstance(node.value, bool) or node.value is None:
        return {True: "true", False: "false", None: "null"}[node.value]
    return str(node.value)[:60] or "empty"


def _url(setting: Setting, node: Node) -> str:
    text = node.value if isinstance(node.value, str) else ""
    words = "an https address"
    if setting.name == "endpoint":
        words += " (or emulator)"
    wanted = f"{words}, such as {_example(setting)}"
    if not is_uri(text) or urlsplit(text).scheme not in {"https", "http"} or not urlsplit(text).hostname:
        raise _Bad("bad-format", f"{setting.name} is {_shown(node)}", wanted, near=nearest(text, [EMULATOR]))
    parts = urlsplit(text)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise _Bad("bad-format", f"{setting.name} holds more than an address", wanted)
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        raise _Bad(
            "bad-format", f"{setting.name} is {text}, without encryption", f"{words}; http is for loopback alone"
        )
    return text


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _uuid(setting: Setting, node: Node) -> str:
    if not isinstance(node.value, str) or not is_uuid(node.value):
        example = setting.example or "10eb0091-887f-4839-9929-cbc884f1e20e"
        raise _Bad("bad-format", f"{setting.name} is {_shown(node)}", f"a UUID, such as {example}")
    return node.value


def _duration(setting: Setting, node: Node) -> float:
    bad = _Bad("bad-format", f"{setting.name} is {_shown(node)}", f"a time, such as {setting.example or '20m'}")
    try:
        seconds = duration(node.value if isinstance(node.value, str) else "")
    except ValueError:
        raise bad from None
    if setting.positive and not seconds:
        raise bad
    return seconds


def _integer(setting: Setting, node: Node) -> int:
    value = node.value
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 1:
        shown = f'the text "{_shown(node)}"' if isinstance(value, str) else _shown(node)
        raise _Bad("wrong-type", f"{setting.name} is {shown}", f"a whole number from 1, such as {setting.example or 4}")
    return int(value)


def _enum(setting: Setting, node: Node) -> str:
    if not isinstance(node.value, str) and str(node.value) in setting.choices:
        raise _Bad("wrong-type", f"{setting.name} is the number {node.value}", f'text in quotes: "{node.value}"')
    if node.value not in setting.choices:
        near = nearest(node.value, setting.choices) if isinstance(node.value, str) else ""
        raise _Bad(
            "not-allowed", f"{setting.name} is {_shown(node)}", f"one of {', '.join(setting.choices)}", near=near
        )
    return str(node.value)


def _prices(setting: Setting, node: Node) -> Prices:
    unit, per_hour = node.get("unit"), node.get("perHour")
    extra = next((key for key in node.entries() if key not in _PRICES), "")
    if extra:
        wrong, place = f"unknown key {extra!r} of prices", node.entries()[extra]
        raise _Bad("unknown-field", wrong, "unit or perHour", place.key or place.origin, nearest(extra, _PRICES))
    if unit is None or not isinstance(unit.value, str) or per_hour is None or not per_hour.is_map:
        raise _Bad("wrong-type", "prices needs unit and perHour", f"prices: {setting.example}")
    prices: dict[str, Decimal] = {}
    for item, entry in per_hour.entries().items():
        text = entry.value.text if isinstance(entry.value, WrittenFloat) else str(entry.value)
        try:
            price = Decimal(text)
        except InvalidOperation:
            price = Decimal(-1)
        if isinstance(entry.value, bool) or not price.is_finite() or price < 0:
            raise _Bad("wrong-type", f"price of {item} is {_shown(entry)}", 'a decimal, such as "0.35"', entry.place)
        prices[item] = price
    return Prices(unit=unit.value, per_hour=prices)


_READERS: Final[Mapping[str, Any]] = {
    "string": _text,
    "url": _url,
    "uuid": _uuid,
    "duration": _duration,
    "integer": _integer,
    "enum": _enum,
    "prices": _prices,
}
