"""Registration by itk-elastix, an optional engine, in a process of its own: it crashes at times, cannot be stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import SimpleITK as sitk

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import CancelledError, TargetSegError
from HNTargetSegLib.prior.grids import resampled

PUBLISHED_STEPS = 5000
FEWER_STEPS = 250

_RESOLUTIONS = 3
_POLL_S = 0.2
_PROCESS = Path(__file__).with_name("elastix_process.py")


def parameters(steps: int, seed: int = 1) -> dict[str, list[str]]:
    """The B-spline stage of the organisers of HNTS-MRG 2024, with a number of steps for each resolution.

    Set 23 of the elastix model zoo (Leibfarth et al., Acta Oncologica 52:1353-1359, 2013) with mutual information
    over the whole image, bending energy of weight 50, a grid of 15 mm and 3 resolutions; theirs has 5000 steps.
    """
    values = {
        "FixedInternalImagePixelType": "float",
        "MovingInternalImagePixelType": "float",
        "UseDirectionCosines": "true",
        "Registration": "MultiMetricMultiResolutionRegistration",
        "Interpolator": "BSplineInterpolator",
        "BSplineInterpolationOrder": "1",
        "ResampleInterpolator": "FinalBSplineInterpolator",
        "FinalBSplineInterpolationOrder": "3",
        "Resampler": "DefaultResampler",
        "WriteResultImage": "false",
        "FixedImagePyramid": "FixedSmoothingImagePyramid",
        "MovingImagePyramid": "MovingSmoothingImagePyramid",
        "NumberOfResolutions": str(_RESOLUTIONS),
        "ImagePyramidSchedule": "8 8 2 4 4 1 1 1 2",
        "Optimizer": "AdaptiveStochasticGradientDescent",
        "MaximumNumberOfIterations": str(steps),
        "Transform": "BSplineTransform",
        "HowToCombineTransforms": "Compose",
        "GridSpacingSchedule": "4 2 1",
        "FinalGridSpacingInPhysicalUnits": "15",
        "Metric": "AdvancedMattesMutualInformation TransformBendingEnergyPenalty",
        "Metric0Weight": "1",
        "Metric1Weight": "50",
        "NumberOfHistogramBins": "60",
        "ImageSampler": "MultiInputRandomCoordinate",
        "NumberOfSpatialSamples": "10000",
        "NewSamplesEveryIteration": "true",
        "UseRandomSampleRegion": "true",
        "SampleRegionSize": "40",
        "MaximumNumberOfSamplingAttempts": "5",
        "RequiredRatioOfValidSamples": "0.05",
        "RandomSeed": str(seed),
    }
    return {name: text.split() for name, text in values.items()}


def align_as_organisers(fixed: Volume, moving: Volume) -> sitk.Transform:
    """Rigid alignment as the organisers of HNTS-MRG 2024 made it, with SimpleITK.

    Mattes' mutual information of 50 bins over all voxels, gradient descent of at most 100 steps from the middle of
    one field of view to that of the other.
    """
    first, second = (volume.with_array(volume.array.astype(np.float32)).to_sitk() for volume in (fixed, moving))
    start = sitk.CenteredTransformInitializer(
        first, second, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    found = sitk.Euler3DTransform(start)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(found, inPlace=True)
    method.Execute(first, second)
    return found


def deform_by_elastix(
    fixed: Volume,
    moving: Volume,
    rigid: sitk.Transform,
    steps: int,
    progress: Callable[[str, int, int], None],
    cancelled: Callable[[], bool],
) -> sitk.BSplineTransform:
    """Displacement of points of ``fixed`` after which ``rigid`` takes them to the same tissue in ``moving``.

    With several threads elastix adds up in an order that changes, and so its result does a little.

    Raises
    ------
    CancelledError
        If ``cancelled`` said so; its process is ended.
    TargetSegError
        If elastix fails; the message gives its last words.
    """
    with tempfile.TemporaryDirectory(prefix="hntargetseg-elastix-") as name:
        folder = Path(name)
        moved = Volume(resampled(moving.to_sitk(), fixed.geometry, rigid), fixed.geometry)
        for title, volume in (("fixed", fixed), ("moving", moved)):
            image = volume.with_array(volume.array.astype(np.float32)).to_sitk()
            sitk.WriteImage(image, str(folder / f"{title}.mha"))
        (folder / "parameters.json").write_text(json.dumps(parameters(steps)), encoding="utf-8")
        with open(folder / "said.txt", "w+b") as said:
            process = subprocess.Popen([sys.executable, str(_PROCESS), name], stdout=said, stderr=said)
            try:
                _wait(process, folder / "elastix.log", steps * _RESOLUTIONS, progress, cancelled)
            finally:
                process.kill()
                process.wait()
            _require_success(process.returncode, said)
        return _as_transform(json.loads((folder / "transform.json").read_text(encoding="utf-8")))


def _wait(
    process: subprocess.Popen[bytes],
    log: Path,
    total: int,
    progress: Callable[[str, int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    while True:
        progress("deformable", min(_steps_in(log), total), total)
        if cancelled():
            raise CancelledError()
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
        return


def _steps_in(log: Path) -> int:
    """Lines of elastix' log that begin with the number of a step."""
    if not log.is_file():
        return 0
    return sum(line[:1].isdigit() for line in log.read_bytes().splitlines())


def _require_success(status: int, said: IO[bytes]) -> None:
    if status == 0:
        return
    said.seek(0)
    words = said.read().decode("utf-8", "replace").strip().splitlines() or ["nothing"]
    raise TargetSegError(
        f"elastix ended with status {status} and said: {words[-1][:300]}",
        remedy="Try again, or choose the engine descriptor",
    )


def _as_transform(found: dict[str, list[str]]) -> sitk.BSplineTransform:
    numbers = {
        name: [float(value) for value in found[name]]
        for name in ("GridSize", "GridOrigin", "GridSpacing", "GridDirection", "TransformParameters")
    }
    # elastix writes matrices column by column.
    direction = np.array(numbers["GridDirection"]).reshape(3, 3).T.ravel().tolist()
    transform = sitk.BSplineTransform(3, 3)
    transform.SetFixedParameters([*numbers["GridSize"], *numbers["GridOrigin"], *numbers["GridSpacing"], *direction])
    transform.SetParameters(numbers["TransformParameters"])
    return transform
