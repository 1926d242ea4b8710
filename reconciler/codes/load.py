"""Codes of reading YAML: bytes, characters, keys, limits. Raised in `spec.load` and `spec.composer`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="tab",
        stage="load",
        meaning=(
            "A tab is used as indentation, or too many tabs stand between values. YAML takes only spaces there; tabs "
            "inside quotes and block texts are data and stay."
        ),
        remedy='Indent with spaces; most editors have "convert tabs to spaces".',
    ),
    Code(
        code="not-utf8",
        stage="load",
        meaning="The file holds a byte that is not UTF-8, so nobody can say which character is meant.",
        remedy="Save the file as UTF-8; the message names the byte and its place.",
    ),
    Code(
        code="control-character",
        stage="load",
        meaning=(
            "The file holds a control character or half of a surrogate pair, which no editor shows and YAML does not "
            "allow."
        ),
        remedy="Remove it, or write an escape inside double quotes.",
        example='note: "bell: \\u0007"',
    ),
    Code(
        code="yaml-syntax",
        stage="load",
        meaning=(
            "The parser can't make sense of the file at this place. Common causes: a colon with a space inside a plain "
            "text, an unquoted text that begins with `{%`, `@` or `%`, a bracket that is never closed."
        ),
        remedy="Mend the YAML there; put quotes around the text.",
        example="note: {% if values.debug %}noisy{% endif %}    # wrong\nnote: '{% if values.debug %}noisy{% endif %}'",
    ),
    Code(
        code="duplicate-key",
        stage="load",
        meaning=(
            "A key stands twice in one map. Parsers keep the last one without a word, so part of the spec would vanish."
        ),
        remedy="Remove one of the two. A key that only overrides a merged one (`<<`) is fine.",
        example='env_vars: {MODEL: a}\nenv_vars: {LIMIT: "9"}    # refused: write both in one map',
    ),
    Code(
        code="bad-key",
        stage="load",
        meaning=(
            "A key is empty, or is a map or a list. An unquoted template is the commonest cause: YAML reads `{{` as a "
            "map whose key is a map."
        ),
        remedy="Put quotes around the template; else write a plain word as the key.",
        example='min_replicas: {{ values.n }}      # wrong\nmin_replicas: "{{ values.n }}"',
    ),
    Code(
        code="bad-alias",
        stage="load",
        meaning=(
            "An alias names an anchor that this document does not define, an anchor holds itself, or `<<` merges "
            "something that is no map."
        ),
        remedy="Define the anchor (`&name`) above its use (`*name`), in the same document; merge (`<<`) maps alone.",
        example='base: &base {CACHE: "on"}\nenv_vars: {<<: *base, LIMIT: "9"}',
    ),
    Code(
        code="bad-number",
        stage="load",
        meaning=(
            "The text looks like a number that can't be kept exactly: too large, too small, or with more digits than a "
            "float holds."
        ),
        remedy="Put quotes around it if it is text (a build number, an id); else write a shorter number.",
        example='build: "123456789012345678901234567890.1"',
    ),
    Code(
        code="unknown-tag",
        stage="load",
        meaning=(
            "A tag such as `!!python/name` or `!x` is written, or a core tag on a value that it does not fit. Tags of "
            "programs are never obeyed."
        ),
        remedy="Write the value without a tag; quotes make text of it.",
        example="port: !env PORT    # wrong\nport: 8000",
    ),
    Code(
        code="too-large",
        stage="load",
        meaning="The file has more than 4 MiB.",
        remedy="Split it: all .yaml files below the listed folders are read.",
    ),
    Code(
        code="too-deep",
        stage="load",
        meaning="Values are nested more deeply than 64 levels.",
        remedy="Write flatter values. If a program made the file, look for a loop in it.",
    ),
    Code(
        code="too-many-values",
        stage="load",
        meaning=(
            "With all aliases written out, the file has more than 100,000 values or 16 Mi characters: a few anchors "
            "inside anchors can stand for gigabytes."
        ),
        remedy="Use fewer aliases inside one another, or split the file.",
    ),
    Code(
        code="too-many-documents",
        stage="load",
        meaning=(
            "One file holds more than 2,000 documents, or `forEach` makes more than 10,000 documents (or 250,000 "
            "values) in all."
        ),
        remedy="Split the file, or shorten the list behind `forEach`.",
    ),
    Code(
        code="many-documents",
        stage="load",
        meaning="A second document stands in a file that holds just one: `reconciler.yaml`, or a values file.",
        remedy="Remove it, or the `---` before it. Resources belong into files below `spec.resources`.",
    ),
)
