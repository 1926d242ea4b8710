"""The planner of toys is that of `tests/plan`."""

from tests.plan.conftest import plan

__all__ = ["plan"]
