"""Where secret values come from, how they are fingerprinted, and where they are hidden."""

from reconciler.secrets.fingerprint import Fingerprinter, FingerprintVerdict
from reconciler.secrets.redact import MASK, RedactingFilter, Redactor
from reconciler.secrets.sources import SecretSources

__all__ = ["MASK", "FingerprintVerdict", "Fingerprinter", "RedactingFilter", "Redactor", "SecretSources"]
