"""nnU-Net's plans.json and dataset.json: what they say, whether they are safe, and what stock nnU-Net lacks."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.errors import ModelError

_RESAMPLERS = (
    "resample_data_or_seg_to_shape",
    "resample_torch_fornnunet",
    "resample_torch_simple",
    "no_resampling_hack",
)
_DEFAULT_RESAMPLER = "resample_data_or_seg_to_shape"
_RESAMPLING_ENTRIES = ("resampling_fn_data", "resampling_fn_seg", "resampling_fn_probabilities")
_RESAMPLING_ARGUMENTS = {"is_seg", "order", "order_z", "force_separate_z"}
_PREPROCESSOR = "DefaultPreprocessor"

# nnU-Net imports these names with pydoc.locate and calls what it finds: a plans.json that names another callable
# (``os.system`` is also ``torch.nn.modules.module.os.system``) would run it when the network is built.
_NETWORK = re.compile(r"dynamic_network_architectures\.architectures\.\w+\.[A-Z]\w*")
_PART = re.compile(
    r"torch\.nn\.(modules\.(activation|batchnorm|conv|dropout|instancenorm|normalization)\.)?[A-Z]\w*"
    r"|dynamic_network_architectures\.building_blocks\.\w+\.[A-Z]\w*"
)
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
# Names of labels without capitals, blanks, hyphens and numbers.
_TARGET_NAMES = {
    Target.PT: re.compile(r"(gtv)?(pt|tumou?rs?)|gtv[pt]|.*primary.*"),
    Target.LN: re.compile(r"(gtv)?lns?|gtvn|lymph|.*(node|nodal).*"),
}
_NAMED_CLASSES = ("preprocessor_name", *_RESAMPLING_ENTRIES)


def resolved_configuration(plans: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Configuration of plans.json with all that it inherits (``inherits_from``) filled in.

    Raises
    ------
    ModelError
        If it, or one that it inherits from, is missing, or they inherit in a circle.
    """
    configurations = plans.get("configurations")
    if not isinstance(configurations, dict):
        raise ModelError("plans.json has no 'configurations'", remedy="nnU-Net v2 plans are needed")
    chain: list[dict[str, Any]] = []
    seen: list[str] = []
    current: Any = name
    while current is not None:
        if current in seen:
            raise ModelError(f"The configurations of plans.json inherit in a circle ({' > '.join([*seen, current])})")
        if not isinstance(current, str) or not isinstance(configurations.get(current), dict):
            known = ", ".join(configurations)
            raise ModelError(f"plans.json has no configuration '{current}'", remedy=f"It has {known}")
        seen.append(current)
        chain.append(configurations[current])
        current = configurations[current].get("inherits_from")
    merged: dict[str, Any] = {}
    for configuration in reversed(chain):
        merged.update(configuration)
    merged.pop("inherits_from", None)
    return merged


def check_plans(plans: Mapping[str, Any], configuration: str) -> None:
    """Refuse plans that cannot be built from, or that name anything but parts of networks to import.

    Raises
    ------
    ModelError
        If the configuration lacks patch size, spacing, normalisation or network, or names a callable from outside
        torch.nn and dynamic_network_architectures.
    """
    resolved = resolved_configuration(plans, configuration)
    missing = [entry for entry in ("patch_size", "spacing", "normalization_schemes") if entry not in resolved]
    if "architecture" not in resolved and "UNet_class_name" not in resolved:
        missing.append("architecture")
    if missing:
        raise ModelError(f"The configuration '{configuration}' of plans.json lacks {', '.join(missing)}")
    try:
        for name in plans["configurations"]:
            _check_names(resolved_configuration(plans, name))
    except (TypeError, AttributeError) as error:
        raise ModelError(f"plans.json is not in nnU-Net's form ({error})", remedy="Get the model again") from error


def _check_names(resolved: Mapping[str, Any]) -> None:
    architecture = resolved.get("architecture") or {}
    if not isinstance(architecture, dict):
        raise ModelError("plans.json describes its network in a way that is not nnU-Net's")
    if architecture:
        _check_name(architecture.get("network_class_name"), _NETWORK)
        arguments, imported = architecture.get("arch_kwargs"), architecture.get("_kw_requires_import")
        if not isinstance(arguments, dict) or not isinstance(imported, list):
            raise ModelError("plans.json describes its network in a way that is not nnU-Net's")
        for key in imported:
            if arguments.get(key) is not None:
                _check_name(arguments[key], _PART)
    named = [resolved[entry] for entry in _NAMED_CLASSES if entry in resolved]
    if "UNet_class_name" in resolved:
        named.append(resolved["UNet_class_name"])
    schemes = resolved.get("normalization_schemes", [])
    if not isinstance(schemes, list):
        raise ModelError("plans.json has no list of normalisation schemes")
    for name in [*named, *schemes]:
        _check_name(name, _PLAIN_NAME)


def _check_name(name: Any, pattern: re.Pattern[str]) -> None:
    if not isinstance(name, str) or not pattern.fullmatch(name):
        raise ModelError(
            f"plans.json names {name!r}, which is no part of a network",
            remedy="It would be imported and called when the network is built; do not use this model",
        )


def stand_ins(plans: Mapping[str, Any], configuration: str) -> tuple[str, ...]:
    """Sentences on what the plans ask for, stock nnU-Net lacks, and is replaced here; empty when there is nothing."""
    resolved = resolved_configuration(plans, configuration)
    notes = []
    preprocessor = resolved.get("preprocessor_name", _PREPROCESSOR)
    if preprocessor != _PREPROCESSOR:
        notes.append(
            f"Trained with the preprocessor {preprocessor}, which stock nnU-Net lacks; predicts with {_PREPROCESSOR}"
        )
    for entry in _RESAMPLING_ENTRIES:
        name = resolved.get(entry, _DEFAULT_RESAMPLER)
        if name not in _RESAMPLERS:
            notes.append(f"Trained with {entry} {name}, which stock nnU-Net lacks; predicts with {_DEFAULT_RESAMPLER}")
    return tuple(notes)


def stock_plans(plans: Mapping[str, Any], configuration: str) -> dict[str, Any]:
    """Copy of the plans that stock nnU-Net can follow; unchanged where :func:`stand_ins` has nothing to say."""
    copied: dict[str, Any] = copy.deepcopy(dict(plans))
    if not stand_ins(plans, configuration):
        return copied
    resolved = resolved_configuration(copied, configuration)
    resolved["preprocessor_name"] = _PREPROCESSOR
    for entry in _RESAMPLING_ENTRIES:
        if resolved.get(entry, _DEFAULT_RESAMPLER) in _RESAMPLERS:
            continue
        resolved[entry] = _DEFAULT_RESAMPLER
        arguments = resolved.get(f"{entry}_kwargs", {})
        resolved[f"{entry}_kwargs"] = {key: value for key, value in arguments.items() if key in _RESAMPLING_ARGUMENTS}
    copied["configurations"][configuration] = resolved
    return copied


def channel_names(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the channels of dataset.json in channel order.

    Raises
    ------
    ModelError
        If they are missing or not numbered.
    """
    named = dataset.get("channel_names", dataset.get("modality"))
    if not isinstance(named, dict) or not named or not all(str(key).isascii() and str(key).isdigit() for key in named):
        raise ModelError("dataset.json has no numbered 'channel_names'", remedy="nnU-Net v2's dataset.json is needed")
    return tuple(str(named[key]) for key in sorted(named, key=int))


def labels(dataset: Mapping[str, Any]) -> dict[str, int]:
    """Labels of dataset.json, name to value; values written as strings (``"1"``) become ints.

    Raises
    ------
    ModelError
        If there are none, no background, a region (a list of labels), two names for one value, or a name that says
        primary tumour or lymph node at another value than :class:`~HNTargetSegLib.case.labels.Target` gives it.
    """
    named = dataset.get("labels")
    if not isinstance(named, dict) or not named:
        raise ModelError("dataset.json has no 'labels'", remedy="nnU-Net v2's dataset.json is needed")
    values: dict[str, int] = {}
    for name, value in named.items():
        if isinstance(value, (list, tuple)):
            raise ModelError(
                f"The label '{name}' of dataset.json is a region", remedy="Region-based models cannot be used here"
            )
        try:
            values[name] = int(value)
        except (TypeError, ValueError):
            raise ModelError(f"The label '{name}' of dataset.json has the value {value!r}, no number") from None
    if values.get("background") != 0 or len(set(values.values())) != len(values):
        raise ModelError(f"The labels of dataset.json are not distinct values with background 0 ({values})")
    for name, number in values.items():
        _check_target(name, number)
    return values


def _check_target(name: str, value: int) -> None:
    letters = re.sub(r"[\W\d_]", "", name.casefold())
    meant = [target for target, pattern in _TARGET_NAMES.items() if pattern.fullmatch(letters)]
    if len(meant) == 1 and value != meant[0]:
        raise ModelError(
            f"dataset.json gives '{name}' the label {value}, and here it is {int(meant[0])}: "
            "one target would be taken for another",
            remedy=f"This model cannot be used; {int(Target.PT)} for the primary tumour and {int(Target.LN)} for lymph "
            "nodes are needed",
        )
