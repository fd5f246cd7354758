"""A stored model's plans, labels and network, through nnU-Net's own classes."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from HNTargetSegLib.errors import BadInputError, MissingDependencyError, ModelError
from HNTargetSegLib.models.plans import check_plans, labels, stand_ins, stock_plans

if TYPE_CHECKING:
    import torch


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
    """nnU-Net's view of a model.

    Attributes
    ----------
    manager, configuration, labels
        nnU-Net's PlansManager, ConfigurationManager and LabelManager.
    channels
        Number of input channels.
    patch
        Shape of a tile on the network's grid.
    notes
        What stock nnU-Net lacks and was replaced, for the user.
    """

    manager: Any
    configuration: Any
    labels: Any
    channels: int
    patch: tuple[int, int, int]
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Number of output channels."""
        return int(self.labels.num_segmentation_heads)

    @property
    def transpose(self) -> tuple[int, ...]:
        """Axes of the image in the order in which the network sees them."""
        return tuple(self.manager.transpose_forward)


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
    with _nnunet():
        from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
        from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

        try:
            manager = PlansManager(stock_plans(model.plans, model.configuration))
            configuration = manager.get_configuration(model.configuration)
            dataset = {**model.dataset, "labels": labels(model.dataset)}
            label_manager = manager.get_label_manager(dataset)
            channels = int(determine_num_input_channels(manager, configuration, dataset))
            patch = tuple(int(edge) for edge in configuration.patch_size)
        except (KeyError, TypeError, ValueError, AssertionError, RuntimeError) as error:
            raise ModelError(f"The model's plans cannot be read ({error})", remedy="Install the model again") from error
    if len(patch) != 3 or configuration.previous_stage_name is not None:
        raise ModelError(
            f"Configuration '{model.configuration}' is 2D or the second stage of a cascade",
            remedy="Use a model of nnU-Net's configuration 3d_fullres",
        )
    notes = stand_ins(model.plans, model.configuration)
    return NetworkPlan(manager, configuration, label_manager, channels, (patch[0], patch[1], patch[2]), notes)


def build_network(plan: NetworkPlan, weights: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    """The network with its weights, in float32 on the CPU, ready for inference.

    Raises
    ------
    ModelError
        If the weights do not fit the plans.
    """
    with _nnunet():
        from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

        network: torch.nn.Module = get_network_from_plans(
            plan.configuration.network_arch_class_name,
            plan.configuration.network_arch_init_kwargs,
            plan.configuration.network_arch_init_kwargs_req_import,
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
