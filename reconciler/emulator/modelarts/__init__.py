"""ModelArts in the emulator: IAM log-in, services, notebooks; three modules, one address for the two APIs."""

from reconciler.emulator.modelarts.iam import Iam
from reconciler.emulator.modelarts.notebooks import Notebooks
from reconciler.emulator.modelarts.services import Services

MODULES = (Iam, Services, Notebooks)

__all__ = ["MODULES"]
