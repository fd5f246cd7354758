"""A stored model's plans and its network, which nnU-Net's own classes build."""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from HNTargetSegLib.errors import BadInputError, MissingDependencyError, ModelError
from HNTargetSegLib.models.plans import (
    channel_names,
    check_plans,
    labels,
    resolved_configuration,
    stand_ins,
    stock_plans,
)

if TYPE_CHECKING:
    import torch

# The second is the name in plans of nnU-Net's first months.
_INTENSITIES = ("foreground_intensity_properties_per_channel", "foreground_intensity_properties_by_modality")
_READ_LATER = (
    "spacing",
    "use_mask_for_norm",
    "normalization_schemes",
    "resampling_fn_data",
    "resampling_fn_data_kwargs",
)


class ModelSource(Protocol):
    """What the predictor needs to know of a model."""

    @property
    def plans(self) -> dict[str, Any]:
        """nnU-Net's plans.json."""
        ...

    @property
    def dataset(self) -> dict[str, Any]:
        """nnU-Net's dataset.json."""
        ...

    @property
    def configuration(self) -> str:
        """Name of the configuration in the plans."""
        ...

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folds that have weights."""
        ...

    @property
    def mirror_axes(self) -> tuple[int, ...]:
        """Array axes of the network's grid that may be mirrored."""
        ...

    def weights(self, fold: str) -> Mapping[str, torch.Tensor]:
        """Float32 state of the network."""
        ...


@dataclass(frozen=True, eq=False)
class NetworkPlan:
    """What plans.json and dataset.json of a model say, read without nnU-Net's own readers.

    Those import every image reader and planner of nnU-Net, most of a second for a process that segments one image.

    Attributes
    ----------
    configuration
        The configuration of the plans, all that it inherits filled in and its network described in nnU-Net's present
        form.
    intensities
        Intensity statistics of the training images by channel number, as text; only normalisations for CT read them.
    transpose
        Axes of the image in the order in which the network sees them.
    channels, classes
        Number of input and output channels.
    patch
        Shape of a tile on the network's grid.
    notes
        What stock nnU-Net lacks and was replaced, for the user.
    """

    configuration: dict[str, Any]
    intensities: dict[str, dict[str, float]]
    transpose: tuple[int, ...]
    channels: int
    classes: int
    patch: tuple[int, int, int]
    notes: tuple[str, ...] = ()

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size in mm of the network's grid, in its axis order."""
        return tuple(float(size) for size in self.configuration["spacing"])


def read_plan(model: ModelSource) -> NetworkPlan:
    """Read the plans of a model.

    A preprocessor or resampling function that stock nnU-Net lacks is replaced by its default, with a note.

    Raises
    ------
    MissingDependencyError
        If PyTorch or nnU-Net is not installed.
    ModelError
        If the model is not a single-stage 3D model, or its plans cannot be read.
    """
    check_plans(model.plans, model.configuration)
    named = labels(model.dataset)
    plans = stock_plans(model.plans, model.configuration)
    with _nnunet():
        try:
            configuration = _present_form(resolved_configuration(plans, model.configuration))
            intensities = dict(next((plans[entry] for entry in _INTENSITIES if entry in plans), {}))
            transpose = tuple(int(axis) for axis in plans["transpose_forward"])
            patch = tuple(int(edge) for edge in configuration["patch_size"])
            for entry in _READ_LATER:
                configuration[entry]
        except (KeyError, TypeError, ValueError, AssertionError, RuntimeError) as error:
            raise ModelError(f"The model's plans cannot be read ({error})", remedy="Install the model again") from error
    if len(patch) != 3 or configuration.get("previous_stage") is not None:
        raise ModelError(
            f"Configuration '{model.configuration}' is 2D or the second stage of a cascade",
            remedy="Use a model of nnU-Net's configuration 3d_fullres",
        )
    return NetworkPlan(
        configuration,
        intensities,
        transpose,
        channels=len(channel_names(model.dataset)),
        # Voxels that were left out of a training have a label and no output.
        classes=len({value for name, value in named.items() if name != "ignore"}),
        patch=(patch[0], patch[1], patch[2]),
        notes=stand_ins(model.plans, model.configuration),
    )


def _present_form(configuration: dict[str, Any]) -> dict[str, Any]:
    """A configuration with its network under ``architecture``, where plans before nnU-Net 2.3 lack it."""
    if "architecture" in configuration:
        return configuration
    from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

    with warnings.catch_warnings():
        # That plans are old is nothing that a user can change.
        warnings.simplefilter("ignore")
        present: dict[str, Any] = ConfigurationManager(configuration).configuration
    return present


def build_network(plan: NetworkPlan, weights: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    """The network with its weights, in float32 on the CPU, ready for inference.

    Raises
    ------
    ModelError
        If the weights do not fit the plans.
    """
    architecture = plan.configuration["architecture"]
    with _nnunet():
        from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

        network: torch.nn.Module = get_network_from_plans(
            architecture["network_class_name"],
            architecture["arch_kwargs"],
            architecture["_kw_requires_import"],
            plan.channels,
            plan.classes,
            allow_init=False,
            deep_supervision=False,
        )
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise ModelError(f"The weights do not fit the network of the plans ({first})") from error
    return network.float().eval().requires_grad_(False)


def chosen_folds(model: ModelSource, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """The folds to use.

    Raises
    ------
    BadInputError
        If the model lacks one that was asked for.
    """
    if asked is None:
        return model.folds
    unknown = [fold for fold in asked if fold not in model.folds]
    if unknown:
        raise BadInputError(
            f"The model has no fold {', '.join(unknown)}", remedy=f"Choose from {', '.join(model.folds)}"
        )
    return tuple(asked)


@contextmanager
def _nnunet() -> Iterator[None]:
    # nnU-Net prints hints that a user of this program can do nothing about.
    with redirect_stdout(io.StringIO()):
        try:
            importlib.import_module("nnunetv2")
            importlib.import_module("torch")
        except ImportError as error:
            raise MissingDependencyError(
                f"The Python package '{error.name}' is not installed"
                if error.name
                else f"PyTorch cannot be imported ({error})",
                remedy="Install PyTorch for this machine and then nnunetv2, or choose a Python that has them",
            ) from error
        yield
