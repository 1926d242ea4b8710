"""Carries out a plan: journals every call, settles unknown outcomes, waits, reports."""
