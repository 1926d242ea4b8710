"""Codes of secrets. Raised in `secrets`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="secret-missing",
        stage="secrets",
        meaning="A listed secret is set nowhere, or is empty. Nothing was sent.",
        remedy=(
            "Set an environment variable of that name, add a line NAME=value to the variable RECONCILER_SECRETS, or "
            "put a file of that name into the folder RECONCILER_SECRETS_DIR."
        ),
        example="export RECONCILER_SECRETS_DIR=secrets/",
    ),
    Code(
        code="secret-not-listed",
        stage="secrets",
        meaning="A secret is read that `spec.secrets` does not list, or its name has more than letters, digits and _.",
        remedy="List it under `spec.secrets` in reconciler.yaml.",
        example="secrets: [HF_TOKEN]",
    ),
    Code(
        code="secret-unreadable",
        stage="secrets",
        meaning=(
            "The secret's file can't be read, its value is not UTF-8 text, or RECONCILER_SECRETS holds something else "
            "than lines of NAME=value or one JSON object of texts."
        ),
        remedy="Give the user that runs this the right to read the file, and save it as UTF-8; mend the line.",
    ),
)
