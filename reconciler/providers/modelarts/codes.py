"""Codes that only the checks of this provider use."""

from __future__ import annotations

from typing import Final

from reconciler.codes import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="bad-characters",
        stage="modelarts/Service",
        meaning="The description of a service has one of the characters ! < > + & = \" ', which the API refuses.",
        remedy="Leave out the characters that the message names.",
    ),
    Code(
        code="bad-obs-path",
        stage="modelarts/Service",
        meaning="`src_path` or `dest_path` of a batch service is no address of the object storage.",
        remedy="Begin it with https://, obs:// or /.",
        example="src_path: https://my-bucket.obs.example.com/input/",
    ),
    Code(
        code="bad-text",
        stage="modelarts/Notebook",
        meaning="The description of a notebook has a line break or another control character.",
        remedy="Write one line of text.",
    ),
    Code(
        code="obs-path",
        stage="modelarts/Notebook",
        meaning=(
            "The storage path of a notebook is no folder inside a bucket: an obs:// address, the root of a bucket, or "
            "without / at both ends."
        ),
        remedy="Write a bucket and a folder, with / at both ends.",
        example="path: /my-bucket/notebooks/",
    ),
    Code(
        code="weights-not-100",
        stage="modelarts/Service",
        meaning="The weights of a real-time service share its traffic, so they must sum to 100.",
        remedy="Mend the weights; the message shows their sum and all places.",
        example="config:\n  - {model_id: 0a1b, weight: 70}\n  - {model_id: 2c3d, weight: 30}",
    ),
    Code(
        code="doubtful-value",
        stage="modelarts",
        meaning=(
            "The API takes the value, but probably not as it is meant, or not much longer; the message says why. A "
            "warning: it stops nothing."
        ),
        remedy="Look at it once, and write what the message expects.",
    ),
    Code(
        code="unknown-specification",
        stage="modelarts/Service",
        meaning="There is no such specification in the catalogue for this type of service.",
        remedy="Take one of the list in the message. `custom` and dedicated pools are not looked up.",
    ),
    Code(
        code="specification-sold-out",
        stage="modelarts/Service",
        meaning=(
            "The catalogue says that the specification is sold out at the moment. What runs on it goes on; a new "
            "service, a start or a new configuration may wait or fail. A warning: it stops nothing."
        ),
        remedy="Take another specification, or try again later.",
    ),
    Code(
        code="specification-closed",
        stage="modelarts/Service",
        meaning="The catalogue lists the specification as not open (to this account). A warning: it stops nothing.",
        remedy="Take another specification, or have it opened for the account.",
    ),
    Code(
        code="specification-over-quota",
        stage="modelarts/Service",
        meaning="The catalogue says that the account has used up what it may have of it. A warning: it stops nothing.",
        remedy="Take another specification, stop or delete a service that uses it, or have the quota raised.",
    ),
)
