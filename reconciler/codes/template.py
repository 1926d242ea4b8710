"""Codes of templates. Raised in `spec.template`, `spec.sandbox` and `spec.expand`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="undefined-name",
        stage="template",
        meaning=(
            "A template or a policy names something that does not exist. It is never taken for empty, because a typo "
            "would then remove a value."
        ),
        remedy=(
            "Mend the name; the message offers the nearest one. If it may be absent, use `default(…)` or `is defined`. "
            "Braces that belong to the workload: `metadata.template: false`, or `{% raw %}`."
        ),
        example="vm_id: \"vm_{{ values.gpu.model | default('gt1') }}\"",
    ),
    Code(
        code="template-syntax",
        stage="template",
        meaning="The text between the braces is no Jinja2 expression, or a policy's `assert` is not exactly one.",
        remedy="Mend it. Braces that belong to the workload: `metadata.template: false`, or `{% raw %}`.",
        example='args: "{% raw %}{{ m.role }}{% endraw %}"',
    ),
    Code(
        code="template-forbidden",
        stage="template",
        meaning=(
            "The template uses a statement, filter, test, attribute or method that is not on the list. Templates come "
            "in with pull requests: they get values, and nothing else."
        ),
        remedy="Use values, conditions, loops and the filters that the message lists.",
    ),
    Code(
        code="template-limit",
        stage="template",
        meaning=(
            "A template makes too much: a text or list over 1 Mi characters or items, a loop over 10,000 rounds, or "
            "all templates of the run together work too long."
        ),
        remedy="Make fewer and shorter values. A long text belongs into the image or a volume, not into the spec.",
    ),
    Code(
        code="template-type",
        stage="template",
        meaning=(
            "The result is nothing that can stand there: null inside a text, an infinite number, a condition without "
            "`else`, a list inside a text."
        ),
        remedy="Give every branch a value; use `| join(',')` or `| tojson` for lists.",
        example="args: \"{{ values.flags | join(' ') }}\"",
    ),
    Code(
        code="template-failed",
        stage="template",
        meaning="The expression stopped with an error of its own, for example because a text was added to a number.",
        remedy="Mend the expression; the message says what failed. `~` joins texts and numbers.",
        example="name: \"{{ 'replica-' + 3 }}\"    # wrong\nname: \"{{ 'replica-' ~ 3 }}\"",
    ),
    Code(
        code="template-in-key",
        stage="template",
        meaning=(
            "A key holds a template. Keys are never rendered, so that no value can change the structure of a document."
        ),
        remedy=(
            "Put templates into values alone; a whole map can come from one value. Braces that belong to the workload: "
            "`metadata.template: false`."
        ),
        example='env_vars: "{{ values.env }}"',
    ),
    Code(
        code="unknown-secret",
        stage="template",
        meaning=(
            "`secret()` names something that `spec.secrets` in reconciler.yaml does not list. Only listed names can be "
            "read."
        ),
        remedy="Add the name to `spec.secrets`, or mend it.",
        example="secrets: [HF_TOKEN]",
    ),
    Code(
        code="unknown-attribute",
        stage="template",
        meaning="`ref()` stands alone or with something other than an output, or `secret()` has an attribute.",
        remedy="Write `.id`, `.name` or `.endpoint` after `ref()`, and nothing after `secret()`.",
        example="url: '{{ ref(\"theta/Deployment/features\").endpoint }}'",
    ),
    Code(
        code="not-known-yet",
        stage="template",
        meaning=(
            "A `secret()` or `ref()` is used where the value must be known while the spec is compiled: in a condition, "
            "a filter, `forEach`, `metadata` or `lifecycle`."
        ),
        remedy="Use it alone or inside a text, somewhere in `spec`.",
        example=(
            "url: '{{ ref(\"theta/Deployment/chat\").endpoint | upper }}'    # wrong\n"
            "url: '{{ ref(\"theta/Deployment/chat\").endpoint }}/v1'"
        ),
    ),
    Code(
        code="same-name",
        stage="template",
        meaning=(
            "`forEach` makes several documents, and their name does not depend on the item: they would all be one "
            "resource."
        ),
        remedy="Put the item into `metadata.name`.",
        example='metadata: {name: "nb-{{ item }}"}',
    ),
)
