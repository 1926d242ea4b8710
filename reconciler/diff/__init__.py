"""Desired against live against last applied: pairs them, compares them, decides one change for each resource."""
