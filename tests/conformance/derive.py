"""Print what the models of one `runapy` release say of an inference's create and update requests, as JSON.

Run as a script in a process of its own: `python derive.py FOLDER`, FOLDER being what `pip install --target` filled.
Output: `{"create": {path: facts}, "update": {path: facts}, "can": {…}}`; paths as in our field tables
(`compute.cpuCoreRequest`, `ports[*].container`), facts in words of JSON Schema (`type enum required minimum maximum
minLength maxLength pattern`). Types and bounds come from pydantic's own JSON Schema; patterns and the choices of plain
strings stand only in the source of generated validators, so that they are read there. `can` is what routes there are:
`update`, `revisions`, `search` and `token_v2` as booleans, `batch` and `grants` as lists of words. A release without an
update model has an empty `update`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

_KEPT: Final = ("type", "enum", "minimum", "maximum", "minLength", "maxLength")
_ANYTHING: Final = ".*"


def main(folder: Path) -> None:
    """Import what is needed of the release, and print its facts."""
    # The package imports all of its models, some 900; of these a request needs about sixty.
    for name, place in (("runai", folder / "runai"), ("runai.models", folder / "runai" / "models")):
        package = types.ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package
    batch = _facts(folder, "workload_batch", "WorkloadBatch").get("action", {})
    grants = _facts(folder, "token_request", "TokenRequest").get("grantType", {})
    found = {
        "create": _facts(folder, "inference_creation_request", "InferenceCreationRequest"),
        "update": _facts(folder, "inference_update_request", "InferenceUpdateRequest"),
        "can": {
            "update": bool(_parameters(folder, "inferences_api", "update_inference_spec")),
            "revisions": bool(_parameters(folder, "revisions_api", "get_inference_workload_revisions")),
            "search": "search" in _parameters(folder, "workloads_api", "get_workloads"),
            "token_v2": bool(_parameters(folder, "tokens_api", "grant_token_v2")),
            "batch": batch.get("enum", []),
            "grants": grants.get("enum", []),
        },
    }
    sys.stdout.write(json.dumps(found))


def _facts(folder: Path, module: str, name: str) -> dict[str, Any]:
    """Path → facts of one model; empty when the release has none of that name."""
    if not (folder / "runai" / "models" / f"{module}.py").exists():
        return {}
    model: type[BaseModel] = getattr(importlib.import_module(f"runai.models.{module}"), name)
    return dict(Walk(model).model(model, ""))


def _parameters(folder: Path, module: str, name: str) -> list[str]:
    """Names of the parameters of an API method; empty when the release has none of that name."""
    path = folder / "runai" / "api" / f"{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module(body=[], type_ignores=[])
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return [argument.arg for argument in node.args.args]
    return []


class Walk:
    """The models below one, by the names that its JSON Schema gives them."""

    def __init__(self, root: type[BaseModel]) -> None:
        self._defs: dict[str, Any] = root.model_json_schema().get("$defs", {})
        self._models: dict[str, type[BaseModel]] = {}
        waiting: list[Any] = [root]
        while waiting:
            one = waiting.pop()
            waiting.extend(typing.get_args(one))
            if isinstance(one, type) and issubclass(one, BaseModel) and one.__name__ not in self._models:
                model: Any = one
                self._models[one.__name__] = model
                waiting.extend(field.annotation for field in model.model_fields.values())

    def model(self, model: type[BaseModel], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(path, facts) of all fields, parents first."""
        schema, said = model.model_json_schema(), _validators(model)
        for name, node in schema["properties"].items():
            more = {**said.get(name, {}), **({"required": True} if name in schema.get("required", ()) else {})}
            yield from self._value(node, f"{path}.{name}" if path else name, more)

    def _value(self, node: dict[str, Any], path: str, more: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        node = _without_null(node)
        target = str(node.get("$ref", "")).rpartition("/")[2]
        if target in self._models:
            yield path, {"type": "object", **more}
            yield from self.model(self._models[target], path)
            return
        node = self._defs[target] if target else node
        yield path, {**{key: node[key] for key in _KEPT if key in node}, **more}
        if node["type"] == "array":
            yield from self._value(node["items"], f"{path}[*]", {})


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """A nullable field's own schema; a number that may be written as an integer is a number."""
    choices = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
    if not choices:
        return node
    if len(choices) > 1 and {one.get("type") for one in choices} != {"number", "integer"}:
        raise ValueError(f"unknown union {node}")
    return next((one for one in choices if one.get("type") == "number"), choices[0])


def _validators(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Field (as on the wire) → pattern and choices that its generated validators demand."""
    found: dict[str, dict[str, Any]] = {}
    for decorator in model.__pydantic_decorators__.field_validators.values():
        tree = ast.parse(textwrap.dedent(inspect.getsource(decorator.func.__func__)))
        facts: dict[str, Any] = {}
        for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
            words = ast.unparse(call.func)
            if words == "re.match" and ast.literal_eval(call.args[0]) != _ANYTHING:
                facts["pattern"] = ast.literal_eval(call.args[0])
            elif words == "set":
                facts["enum"] = ast.literal_eval(call.args[0])
        for field in decorator.info.fields:
            name = model.model_fields[field].alias or field
            found.setdefault(name, {}).update(facts)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
