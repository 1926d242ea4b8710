"""What the benchmarks stand on: corpora that are the same each time and valid, and stages that the product has."""

from __future__ import annotations

from pathlib import Path

from reconciler.cli.project import ProjectFiles, load_spec
from tests.benchmarks import corpus, stages


def test_a_corpus_is_the_same_each_time_valid_and_edited_in_every_kind(tmp_path: Path) -> None:
    texts = [corpus.document(index) for index in range(8)]
    assert texts == [corpus.document(index) for index in range(8)] != [corpus.document(index, 2) for index in range(8)]
    edited = [index for index in range(1_000) if corpus.is_changed(index)]
    assert (len(edited), {index % 4 for index in edited}) == (10, {0, 1, 2, 3})
    lines = sum(text.count("\n") for text in texts) / len(texts)
    assert 45 <= lines <= 55

    (tmp_path / "reconciler.yaml").write_text(corpus.project_file(), encoding="utf-8")
    corpus.write(tmp_path, 8)
    before = load_spec(ProjectFiles(root=tmp_path)).resources
    for index in range(4):
        (tmp_path / corpus.path_of(index)).write_text(corpus.document(index, changed=True), encoding="utf-8")
    after = load_spec(ProjectFiles(root=tmp_path)).resources
    assert {one.kind.label for one in before} == {
        "theta/Deployment",
        "runai/Inference",
        "modelarts/Service",
        "modelarts/Notebook",
    }
    assert sum(one.spec != other.spec for one, other in zip(before, after, strict=True)) == 4


def test_every_stage_is_a_function_of_the_product() -> None:
    assert set(stages.targets()) == {stage for stage, _ in stages.STAGES}
