"""Hides secret values in log records of the standard library."""

from __future__ import annotations

import logging

from reconciler.secrets.redact import Redactor

__all__ = ["RedactingFilter"]


class RedactingFilter(logging.Filter):
    """Masks a log record's message, arguments, exception and stack. Put it on handlers: a logger's filter is not asked
    about records of the loggers below it.
    """  # noqa: D205 - one thought

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record in place; it is always let through."""
        record.msg = self._redactor.redact(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = self._redactor.traceback_text(record.exc_info[1])
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = self._redactor.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redactor.redact(record.stack_info)
        return True
