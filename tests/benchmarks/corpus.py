"""Seeded corpora: projects of any size over all four kinds, about 50 lines of YAML a resource, a file a resource."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

__all__ = ["CHANGED_EVERY", "document", "inference", "is_changed", "path_of", "project_file", "write"]

CHANGED_EVERY: Final = 100
"""Of so many resources one is edited after it was applied: 1 %."""

_TEAMS: Final = ("vision", "search", "crm", "science", "platform", "stores")
_WORDS: Final = (
    "amber",
    "basin",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbor",
    "island",
    "juniper",
    "kestrel",
)
_EMBEDDED: Final = {
    "theta": "type: theta, endpoint: emulator",
    "runai": 'type: runai, endpoint: emulator, version: "2.24", cluster: main, project: team-a',
    "modelarts": "type: modelarts, endpoint: emulator",
}


def project_file(providers: Mapping[str, str] = _EMBEDDED) -> str:
    """`reconciler.yaml`; `providers`: instance → its settings as one line of YAML."""
    lines = "".join(f"    {name}: {{{settings}, concurrency: 8}}\n" for name, settings in providers.items())
    return f"""\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: bench}}
spec:
  values: {{region: eu-de, replicas: 1}}
  secrets: [THETA_API_KEY, RUNAI_CLIENT_SECRET, MODELARTS_PASSWORD]
  safety: {{maxDeletes: 10000}}
  providers:
{lines}"""


def is_changed(index: int) -> bool:
    """Whether a resource is among those that are edited; every kind has its turn."""
    return index % CHANGED_EVERY == (index // CHANGED_EVERY) % len(_KINDS)


def path_of(index: int) -> str:
    """Where the resource of this number stands."""
    return f"resources/{_TEAMS[index % len(_TEAMS)]}/r{index:05}.yaml"


def document(index: int, seed: int = 1, *, changed: bool = False) -> str:
    """One resource, `changed` or as it was applied. The same numbers give the same text."""
    return _KINDS[index % len(_KINDS)](index, random.Random(f"{seed}/{index}"), changed=changed)  # noqa: S311 - made-up data


def write(
    root: Path, size: int, seed: int = 1, *, make: Callable[..., str] | None = None, changed: bool = False
) -> None:
    """Write a project's resources; with `changed`, only those that are edited, over what was there."""
    for index in range(size):
        if changed and not is_changed(index):
            continue
        place = root / path_of(index)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text((make or document)(index, seed, changed=changed), encoding="utf-8")


def inference(index: int, seed: int = 1, *, changed: bool = False) -> str:
    """A Run:ai inference of this number, whatever its turn; it refers to nothing, and nobody waits for it."""
    rng = random.Random(f"{seed}/{index}")  # noqa: S311 - made-up data
    text = _inference(index, rng, changed=changed, upstream="https://features.example.com")
    return text.replace("\nspec:\n", "\nlifecycle:\n  wait:\n    for: none\nspec:\n", 1)


def _head(api: str, kind: str, index: int, rng: random.Random) -> str:
    team = _TEAMS[index % len(_TEAMS)]
    return f"""\
# {kind} {index} of team {team}; its owners are asked before it changes.
apiVersion: {api}
kind: {kind}
metadata:
  name: r{index:05}
  labels:
    team: {team}
    tier: {rng.choice(("gold", "silver", "bronze"))}
    cost-centre: cc-{rng.randrange(1000, 9999)}
    contact: {rng.choice(_WORDS)}-{rng.choice(_WORDS)}
"""


def _settings(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Environment variables: mostly plain words, some numbers in quotes."""
    found = []
    for number in range(count):
        word = rng.choice(_WORDS)
        value = f'"{rng.randrange(10_000)}"' if number % 4 == 0 else f"{word}-{rng.choice(_WORDS)}-{rng.randrange(100)}"
        found.append((f"{word.upper()}_{number}", value))
    return found


def _deployment(index: int, rng: random.Random, *, changed: bool) -> str:
    pairs = "".join(f"    {name}: {value}\n" for name, value in _settings(rng, 26))
    return f"""\
{_head("theta/v1", "Deployment", index, rng)}\
lifecycle:
  onRemove: delete
  wait:
    for: ready
    timeout: 20m
spec:
  template: Text Embeddings
  vm_id: vm_gt1
  min_replicas: {2 if changed else '"{{ values.replicas }}"'}
  env_vars:
    MODEL_ID: intfloat/multilingual-e5-base
    REGION: "{{{{ values.region }}}}"
    NAME: "{{{{ metadata.name }}}}"
{pairs}"""


def _inference(index: int, rng: random.Random, *, changed: bool, upstream: str = "") -> str:
    pairs = "".join(f"    - name: {name}\n      value: {value}\n" for name, value in _settings(rng, 8))
    upstream = upstream or f'{{{{ ref("theta/Deployment/r{index - index % 4:05}").endpoint }}}}/embed'
    return f"""\
{_head("runai/v1", "Inference", index, rng)}\
spec:
  image: registry.example.com/bench/r{index:05}:{"2.0.1" if changed else f"1.{rng.randrange(20)}.0"}
  imagePullPolicy: IfNotPresent
  args: --shard {rng.randrange(64)} --batch {rng.choice((8, 16, 32))}
  workingDir: /srv/app
  servingPort:
    container: 8080
    protocol: http
  compute:
    cpuCoreRequest: {rng.choice((0.5, 1, 2))}
    cpuCoreLimit: 4
    cpuMemoryRequest: {rng.choice(("512Mi", "1Gi", "2Gi"))}
    cpuMemoryLimit: 4Gi
  autoscaling:
    minReplicas: "{{{{ values.replicas }}}}"
    maxReplicas: 4
    metric: concurrency
    metricThreshold: 20
  environmentVariables:
    - name: EMBEDDINGS_URL
      value: '{upstream}'
    - name: REGION
      value: "{{{{ values.region }}}}"
{pairs}"""


def _service(index: int, rng: random.Random, *, changed: bool) -> str:
    pairs = "".join(f"        {name}: {value}\n" for name, value in _settings(rng, 11))
    more = "".join(f"        {name}: {value}\n" for name, value in _settings(rng, 11))
    return f"""\
{_head("modelarts/v1", "Service", index, rng)}\
  liveName: Bench_{index:05}
spec:
  infer_type: real-time
  description: Answers of {rng.choice(_WORDS)} {rng.choice(_WORDS)}
  config:
    - model_id: 598b913a-af3e-41ba-a1b5-bf065320f1e2
      specification: modelarts.vm.cpu.4u
      weight: 90
      instance_count: {2 if changed else '"{{ values.replicas }}"'}
      envs:
        REGION: "{{{{ values.region }}}}"
{pairs}\
    - model_id: 0e07b41b-173e-42db-8c16-8e1b44cc0d44
      specification: modelarts.vm.cpu.2u
      weight: 10
      instance_count: 1
      envs:
        REGION: "{{{{ values.region }}}}"
{more}"""


def _notebook(index: int, rng: random.Random, *, changed: bool) -> str:
    remarks = "".join(f"# {rng.choice(_WORDS)}: looked at by {rng.choice(_WORDS)}.\n" for _ in range(6))
    labels = "".join(f"    {name.lower().replace('_', '-')}: {value}\n" for name, value in _settings(rng, 18))
    return f"""\
{remarks}\
{_head("modelarts/v1", "Notebook", index, rng)}\
{labels}\
lifecycle:
  wait:
    for: ready
    timeout: 20m
spec:
  description: Research of {rng.choice(_WORDS)}, {"second" if changed else "first"} round
  profile_id: Multi-Engine 2.0 (python3)
  flavor: modelarts.vm.cpu.2u
  spec:
    storage:
      type: obs
      location:
        path: /bench-research/r{index:05}/
    auto_stop:
      enable: true
      duration: 14400
"""


_KINDS: Final = (_deployment, _inference, _service, _notebook)
