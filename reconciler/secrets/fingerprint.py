"""Whether a secret changed since the last apply, without keeping it: HMAC-SHA256, its key not in the ledger.

Without the key nobody can try guesses against a ledger that leaked; with another key nothing can be said.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final, Literal, TypeAlias

__all__ = ["FingerprintVerdict", "Fingerprinter"]

FingerprintVerdict: TypeAlias = Literal["same", "changed", "can't tell"]
_STORED: Final = re.compile(r"([0-9a-f]{8}):([0-9a-f]{64})")


class Fingerprinter:
    """Makes and judges fingerprints, `keyid:hex`. The key is `RECONCILER_FINGERPRINT_KEY`; `None` or empty: none."""

    def __init__(self, key: str | None) -> None:
        self._key = (key or "").encode("utf-8", "surrogatepass")
        self.key_id = hashlib.sha256(b"id:" + self._key).hexdigest()[:8] if self._key else ""

    @property
    def has_key(self) -> bool:
        """Whether there is a key; without one every verdict is "can't tell"."""
        return bool(self._key)

    def fingerprint(self, name: str, value: str) -> str:
        """What to store for this secret, empty without a key. Equal values under two names differ."""
        if not self._key:
            return ""
        message = f"{name}\0{value}".encode("utf-8", "surrogatepass")
        return f"{self.key_id}:{hmac.new(self._key, message, hashlib.sha256).hexdigest()}"

    def verdict(self, stored: str, name: str, value: str | None) -> FingerprintVerdict:
        """Whether the secret still is what `stored` was made of; `value` is `None` when it is not at hand.

        "can't tell": no key, no value, nothing stored, or stored under another key.
        """
        match = _STORED.fullmatch(stored)
        if match is None or value is None or not self._key or match[1] != self.key_id:
            return "can't tell"
        return "same" if hmac.compare_digest(self.fingerprint(name, value), stored) else "changed"
