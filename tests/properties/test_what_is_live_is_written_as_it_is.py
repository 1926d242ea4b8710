"""Law: whatever a live text is, the YAML of an import reads back to it, through templates and all."""

from __future__ import annotations

import json
from typing import Final

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.cli.project import load_schemas
from reconciler.diff.draft import draft
from reconciler.diff.fieldbook import FieldBook
from reconciler.diff.live import Live
from reconciler.providers.registry import all_kinds, provider_types
from reconciler.spec import SecretRef, SourceFile, compile_all
from reconciler.spec.output import document_yaml
from tests.properties.strategies import law

KINDS: Final = all_kinds()
SCHEMAS: Final = load_schemas()
BOOK: Final = FieldBook(SCHEMAS)
SETTINGS: Final = {name: type_.settings for name, type_ in provider_types().items()}
SIGNS: Final = st.sampled_from(
    ["{{ 7*7 }}", "{% raw %}", "{% endraw %}", "{", "}}", "{#", "\n", " ", ":", "#", "'", '"']
)
WORDS: Final = st.sampled_from(
    ["yes", "1e3", "~", "null", "0o7", "::add-mask::x", "- a", "&a", "*a", "!!x", "\t", "\\"]
)
TEXTS: Final = st.text(max_size=6) | st.lists(SIGNS | WORDS | st.text(max_size=3), max_size=5).map("".join)


@law
@given(mode=TEXTS, note=TEXTS, secret=st.booleans())
@example(mode="{% endraw %}{{ x }}", note="a\n\n  b\n", secret=True)
@example(mode="\u2028\x85\ufeff", note="{{", secret=False)
def test_live_texts_come_back_from_the_yaml(*, mode: str, note: str, secret: bool) -> None:
    envs = {"MODE": mode, "NOTE": note, **({"TOKEN": "x"} if secret else {})}
    config = {"model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44", "specification": "modelarts.vm.cpu.2u"}
    spec = {"infer_type": "real-time", "config": [{**config, "weight": 100, "instance_count": 1, "envs": envs}]}
    item = Live(kind=KINDS["modelarts/Service"], provider="m", id="10eb0091-887f-4839-9929-cbc884f1e20e", spec=spec)
    one = draft(item, "it", book=BOOK)
    header = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "metadata": {"name": "p"},
        "spec": {"secrets": [*one.secrets], "providers": {"m": {"type": "modelarts", "endpoint": "emulator"}}},
    }
    (resource,) = compile_all(
        SourceFile("reconciler.yaml", json.dumps(header).encode()),
        environment=None,
        settings=SETTINGS,
        resources=[SourceFile("it.yaml", document_yaml(one.resource, provider=False).encode())],
        patches=(),
        kinds=[*KINDS.values()],
        schemas=SCHEMAS,
    ).resources
    wanted = {**envs, **({"TOKEN": SecretRef("M_IT_TOKEN")} if secret else {})}
    assert resource.spec["config"][0]["envs"] == wanted
