"""The graph of resources: the same edges in both languages, and no name can break out of its label."""

from __future__ import annotations

import re

import pytest

from reconciler.render.graph import Arrow, arrows_of, dot, mermaid
from tests.conftest import Project
from tests.diff.toys import resource

NASTY = 'a/K/x"] --> evil["; click n0 "javascript:1" <b>#quot;\\'


def test_each_resource_stands_once_and_each_edge_with_its_reason() -> None:
    arrows = [Arrow("a/K/one", "b/K/two", "dependsOn"), Arrow("a/K/one", "a/K/three", "spec.env[0].value")]
    assert mermaid(["b/K/two", "a/K/one", "a/K/three"], arrows) == (
        "flowchart LR\n"
        '  subgraph p0["a"]\n'
        '    n0["K/one"]\n'
        '    n1["K/three"]\n'
        "  end\n"
        '  subgraph p1["b"]\n'
        '    n2["K/two"]\n'
        "  end\n"
        '  n0 -->|"dependsOn"| n2\n'
        '  n0 -->|"spec.env[0].value"| n1\n'
    )
    assert dot(["b/K/two", "a/K/one"], arrows[:1]) == (
        "digraph resources {\n"
        "  rankdir=LR;\n"
        "  node [shape=box];\n"
        "  subgraph cluster_0 {\n"
        '    label="a";\n'
        '    n0 [label="K/one"];\n'
        "  }\n"
        "  subgraph cluster_1 {\n"
        '    label="b";\n'
        '    n1 [label="K/two"];\n'
        "  }\n"
        '  n0 -> n1 [label="dependsOn"];\n'
        "}\n"
    )


@pytest.mark.parametrize("draw", [mermaid, dot])
def test_a_name_stays_inside_its_label(draw: object) -> None:
    assert callable(draw)
    shown = draw([NASTY, "a/K/b"], [Arrow(NASTY, "a/K/b", NASTY)])
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', shown)
    assert "evil" not in bare
    assert "click" not in bare
    assert len(shown.splitlines()) == len(draw(["a/K/a", "a/K/b"], [Arrow("a/K/a", "a/K/b", "w")]).splitlines())


def test_edges_are_those_of_the_spec() -> None:
    needs = resource("a", needs=[resource("b").address])
    assert [(arrow.first, arrow.then) for arrow in arrows_of([needs, resource("b")])] == [
        (resource("b").address, needs.address)
    ]


def test_the_command_draws_the_example_without_a_provider(project: Project) -> None:
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec: {providers: {theta: {type: theta, endpoint: emulator}}}
        """,
    )
    project.write(
        "resources/a.yaml",
        """\
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: a}
        spec: {template: Text Embeddings, vm_id: vm_c1, min_replicas: 1}
        ---
        apiVersion: theta/v1
        kind: Deployment
        metadata: {name: b}
        spec:
          template: Text Embeddings
          vm_id: vm_c1
          min_replicas: 1
          env_vars: {A: '{{ ref("theta/Deployment/a").endpoint }}'}
        """,
    )
    done = project.run("graph")
    assert (done.returncode, done.stderr) == (0, "")
    assert '  n0 -->|"spec.env_vars.A"| n1\n' in done.stdout
    assert not (project.root / ".reconciler").exists()
    assert project.run("graph", "-o", "dot").stdout.startswith("digraph")
