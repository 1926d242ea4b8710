"""Rules across fields of a service that JSON Schema can't say; pending values are skipped.

Source: modelarts-services §3.7.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.fields import Check, FieldPath, Finding
from reconciler.spec.values import Composite, is_pending

__all__ = ["SERVICE_CHECKS"]

_FORBIDDEN: Final = "!<>+&=\"'"
"""Union of what create and PUT forbid. Source: §3.1 Rec."""
_ALL_PERCENT: Final = 100
_POOLS: Final = ("cluster_id", "pool_name")
_VPC: Final = ("vpc_id", "subnet_network_id", "security_group_id")
_OBS: Final = ("https://", "obs://", "/")
_NO_COLUMN: Final = -1

Document = Mapping[str, Any]


def _weights_sum_to_100(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    elements = _elements(document)
    weights = [element.get("weight") for element in elements]
    if _infer_type(document) != "real-time" or not weights:
        return
    numbers = [weight for weight in weights if isinstance(weight, int) and not isinstance(weight, bool)]
    if len(numbers) != len(weights) or sum(numbers) == _ALL_PERCENT:
        return
    parts = f" ({' + '.join(map(str, numbers))})" if len(numbers) > 1 else ""
    yield Finding(
        code="weights-not-100",
        path="config[0].weight",
        wrong=f"the weights sum to {sum(numbers)}{parts}, not to 100",
        expected="weights whose sum is 100",
        others=tuple(f"config[{index}].weight" for index in range(1, len(numbers))),
    )


def _description_characters(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    value = _spec(document).get("description")
    text = "".join(part for part in value.parts if isinstance(part, str)) if isinstance(value, Composite) else value
    if not isinstance(text, str):
        return
    found = [character for character in _FORBIDDEN if character in text]
    if found:
        yield Finding(
            code="bad-characters",
            path="description",
            wrong=f"description holds {' '.join(found)}",
            expected=f"a text without any of {' '.join(_FORBIDDEN)}",
        )


def _vpc_is_whole(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    spec = _spec(document)
    written = [key for key in _VPC if spec.get(key)]
    missing = [key for key in _VPC if not spec.get(key)]
    if not written:
        return
    pools = [*_pools_of(spec, ""), *_config_pools(document)]
    if missing and not pools:
        yield Finding(
            code="missing-field",
            path=written[0],
            wrong=f"{' and '.join(written)} without {' and '.join(missing)}",
            expected="vpc_id, subnet_network_id and security_group_id together, or none of them",
        )
    if pools:
        yield Finding(
            code="not-allowed-here",
            path=written[0],
            wrong=f"{written[0]} together with a resource pool, where the API silently ignores it",
            expected=f"either a VPC or {pools[0]}",
            others=tuple(pools),
        )


def _one_pool_a_level(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    levels = [("", _spec(document)), *((f"config[{i}].", item) for i, item in enumerate(_elements(document)))]
    for prefix, level in levels:
        if all(level.get(key) for key in _POOLS):
            yield Finding(
                code="not-allowed-here",
                path=f"{prefix}pool_name",
                wrong="cluster_id and pool_name at once",
                expected="cluster_id (old-style pool) or pool_name (new-style pool)",
                others=(f"{prefix}cluster_id",),
            )


def _custom_specification(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    spec, needs_pool = _spec(document), _infer_type(document) in {"real-time", "batch"}
    for index, element in enumerate(_elements(document)):
        specification, custom = element.get("specification"), element.get("custom_spec")
        if not isinstance(specification, str):
            continue
        if specification != "custom":
            if custom:
                yield Finding(
                    code="not-allowed-here",
                    path=f"config[{index}].custom_spec",
                    wrong=f"custom_spec beside the specification {specification}",
                    expected="specification: custom, or no custom_spec",
                )
            continue
        if not custom:
            yield Finding(
                code="missing-field",
                path=f"config[{index}].specification",
                wrong="specification custom without custom_spec",
                expected="custom_spec: {cpu: 1.5, memory: 7500}",
            )
        if needs_pool and not _has_pool(spec, element):
            yield Finding(
                code="missing-field",
                path=f"config[{index}].specification",
                wrong="specification custom outside a dedicated resource pool",
                expected="pool_name or cluster_id, or a specification of the catalogue",
            )


def _one_accelerator(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    for index, element in enumerate(_elements(document)):
        custom = element.get("custom_spec")
        if isinstance(custom, Mapping) and all(_positive(custom.get(key)) for key in ("gpu_p4", "ascend_a310")):
            yield Finding(
                code="not-allowed-here",
                path=f"config[{index}].custom_spec.ascend_a310",
                wrong="gpu_p4 and ascend_a310 both above 0",
                expected="one of them, the other one 0 or left out",
                others=(f"config[{index}].custom_spec.gpu_p4",),
            )


def _mapping_rule_for_csv(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    for index, element in enumerate(_elements(document)):
        mapping, rule = element.get("mapping_type"), element.get("mapping_rule")
        if mapping == "csv" and not rule:
            yield Finding(
                code="missing-field",
                path=f"config[{index}].mapping_type",
                wrong="mapping_type csv without mapping_rule",
                expected="mapping_rule, which says how columns become a request",
            )
        if mapping == "file" and rule:
            yield Finding(
                code="not-allowed-here",
                path=f"config[{index}].mapping_rule",
                wrong="mapping_rule beside mapping_type file",
                expected="mapping_type: csv, or no mapping_rule",
            )


def _whole_columns(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    """`index` in a mapping rule is a column: a whole number from 0, or -1 for none. Source: §3.2 seed."""
    for index, element in enumerate(_elements(document)):
        start = FieldPath(("config", f"[{index}]", "mapping_rule"))
        for path, column in _columns(element.get("mapping_rule"), start):
            whole = isinstance(column, int) and not isinstance(column, bool)
            if not is_pending(column) and (not whole or column < _NO_COLUMN):
                yield Finding(
                    code="out-of-range" if whole else "wrong-type",
                    path=str(path),
                    wrong=f"index of a column is {json.dumps(column, default=str)}",
                    expected="a whole number from 0, or -1 for no column",
                )


def _columns(rule: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    """Each value called `index`; a property of the request that is called so is a map."""
    if isinstance(rule, Mapping):
        for key, value in rule.items():
            if key == "index" and not isinstance(value, Mapping):
                yield path / key, value
            yield from _columns(value, path / str(key))
    elif isinstance(rule, list | tuple):
        for index, item in enumerate(rule):
            yield from _columns(item, path / f"[{index}]")


def _obs_addresses(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    for index, element in enumerate(_elements(document)):
        for key in ("src_path", "dest_path"):
            value = element.get(key)
            if isinstance(value, str) and not value.startswith(_OBS):
                yield Finding(
                    code="bad-obs-path",
                    path=f"config[{index}].{key}",
                    wrong=f"{key} is {value!r}",
                    expected="an OBS address, such as https://my-bucket.obs.example.com/output/",
                )


def _edge_has_a_place(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    if _infer_type(document) != "edge":
        return
    for index, element in enumerate(_elements(document)):
        if not element.get("nodes") and not _has_pool(_spec(document), element):
            yield Finding(
                code="missing-field",
                path=f"config[{index}]",
                wrong="an edge configuration without nodes",
                expected="nodes (ids of edge nodes), or cluster_id (an edge pool)",
            )


def _volumes_need_a_pool(document: Document, _settings: Mapping[str, Any]) -> Iterator[Finding]:
    for index, element in enumerate(_elements(document)):
        properties = element.get("additional_properties")
        if not isinstance(properties, Mapping) or _has_pool(_spec(document), element):
            continue
        for key in ("log_volume", "persistent_volumes"):
            if properties.get(key):
                yield Finding(
                    code="not-allowed-here",
                    path=f"config[{index}].additional_properties.{key}",
                    wrong=f"{key} outside a dedicated resource pool",
                    expected="pool_name or cluster_id beside it",
                )


def _spec(document: Document) -> Mapping[str, Any]:
    spec = document.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _elements(document: Document) -> Sequence[Mapping[str, Any]]:
    config = _spec(document).get("config")
    if not isinstance(config, list | tuple):
        return ()
    return [element if isinstance(element, Mapping) else {} for element in config]


def _infer_type(document: Document) -> Any:
    return _spec(document).get("infer_type")


def _has_pool(spec: Mapping[str, Any], element: Mapping[str, Any]) -> bool:
    return any(level.get(key) for level in (spec, element) for key in _POOLS)


def _pools_of(level: Mapping[str, Any], prefix: str) -> list[str]:
    return [f"{prefix}{key}" for key in _POOLS if level.get(key)]


def _config_pools(document: Document) -> Iterable[str]:
    for index, element in enumerate(_elements(document)):
        yield from _pools_of(element, f"config[{index}].")


def _positive(value: Any) -> bool:
    return not is_pending(value) and isinstance(value, int | float) and value > 0


SERVICE_CHECKS: Final[tuple[Check, ...]] = (
    _weights_sum_to_100,
    _description_characters,
    _vpc_is_whole,
    _one_pool_a_level,
    _custom_specification,
    _one_accelerator,
    _mapping_rule_for_csv,
    _whole_columns,
    _obs_addresses,
    _edge_has_a_place,
    _volumes_need_a_pool,
)
"""That no model stands twice is said by the table: `model_id` is the key of `config`."""
