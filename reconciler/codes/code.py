"""What is told of one stable code."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code.

    Attributes:
        code: As in brackets at the end of a message, such as `duplicate-key`.
        stage: Where it arises: `load`, `template`, `spec`, `project`, `plan`, `apply`, `ledger`, `secrets`, `provider`,
            `command line`, or a kind such as `modelarts/Service` (`modelarts` for what all its kinds share).
        meaning: What is wrong, and why that matters: one to three sentences.
        remedy: What a person does about it: one to three sentences, concrete, with option names where there are some.
        example: A few lines that show the mistake and the right form; empty where a sentence says it all.
    """

    code: str
    stage: str
    meaning: str
    remedy: str
    example: str = ""
