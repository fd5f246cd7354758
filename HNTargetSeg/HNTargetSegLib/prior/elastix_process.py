"""Runs elastix on the files of a folder; started by :mod:`HNTargetSegLib.prior.elastix` in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def run(folder: Path) -> None:
    """Register ``moving.mha`` to ``fixed.mha`` under ``parameters.json``; writes ``transform.json``."""
    import itk

    fixed, moving = (itk.imread(str(folder / name), itk.F) for name in ("fixed.mha", "moving.mha"))
    parameters = itk.ParameterObject.New()
    wanted = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
    parameters.AddParameterMap({name: tuple(values) for name, values in wanted.items()})
    method = itk.ElastixRegistrationMethod.New(fixed, moving)
    method.SetParameterObject(parameters)
    method.SetLogToConsole(False)
    method.SetOutputDirectory(str(folder))
    method.SetLogToFile(True)
    # A number of threads that is set by hand makes version 0.25 crash.
    method.UpdateLargestPossibleRegion()
    found = method.GetTransformParameterObject().GetParameterMap(0)
    text = json.dumps({name: list(values) for name, values in found.items()})
    (folder / "transform.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    # The modules beside this file are no top-level modules.
    sys.path.pop(0)
    run(Path(sys.argv[1]))
