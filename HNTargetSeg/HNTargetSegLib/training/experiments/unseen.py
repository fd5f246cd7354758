"""Patients that no training saw: segmented by each arm's ensemble of all folds, and what became of their priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.files import sha256
from HNTargetSegLib.models.channels import VisitPrior
from HNTargetSegLib.models.options import Device, PredictOptions
from HNTargetSegLib.pipeline import LoadedModel, segment_visit
from HNTargetSegLib.training.cases import TrainingCase, check_case, find_prior_cases
from HNTargetSegLib.training.experiments.arms import Arm
from HNTargetSegLib.training.experiments.observations import Observation, observed
from HNTargetSegLib.training.experiments.refusal import PriorFate, prior_fates
from HNTargetSegLib.training.experiments.study import Run, Study
from HNTargetSegLib.training.folds import Fold
from HNTargetSegLib.training.publish import Publication, publish


@dataclass(frozen=True)
class Unseen:
    """What one arm's ensembles made of the patients, all seeds together.

    Attributes
    ----------
    observations
        Both labels of each case, once a seed.
    fates
        Of all prior lesions that are judged, once a seed.
    """

    observations: tuple[Observation, ...]
    fates: tuple[PriorFate, ...]


def find_unseen(folder: Path, seen: Sequence[TrainingCase]) -> tuple[TrainingCase, ...]:
    """Mid-RT visits of a folder in the HNTS-MRG layout, with their registered masks.

    Raises
    ------
    BadInputError
        If an image is one of the study's, byte for byte; or as :func:`~HNTargetSegLib.training.cases.find_prior_cases`
        and :func:`~HNTargetSegLib.training.cases.check_case`.
    """
    cases = tuple(case for case in find_prior_cases(folder) if not case.training_only)
    sizes = {case.image.stat().st_size for case in seen}
    alike = [case for case in cases if case.image.stat().st_size in sizes]
    known = {sha256(case.image) for case in seen} if alike else set()
    for case in alike:
        if sha256(case.image) in known:
            raise BadInputError(
                f"Patient {case.patient} is one of those that the networks were trained on or chosen by",
                path=case.image,
                remedy="Give other patients; generated ones need another --seed",
            )
    for case in cases:
        check_case(case)
    return cases


def segment_unseen(
    study: Study,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    cases: tuple[Sequence[TrainingCase], Sequence[TrainingCase]],
    folds: Sequence[Fold],
    say: Callable[[str], None] = print,
) -> Mapping[str, Unseen]:
    """Segment and compare; masks that are there are not made again.

    Parameters
    ----------
    arms, seeds
        All of whose folds are trained.
    cases
        Those of the study, for the models' cards, and those to segment.
    """
    own, others = cases
    return {arm.name: _of_arm(study, arm, seeds, (own, others), folds, say) for arm in arms}


def _of_arm(
    study: Study,
    arm: Arm,
    seeds: Sequence[int],
    cases: tuple[Sequence[TrainingCase], Sequence[TrainingCase]],
    folds: Sequence[Fold],
    say: Callable[[str], None],
) -> Unseen:
    observations: list[Observation] = []
    fates: list[PriorFate] = []
    for seed in seeds:
        masks = _segmented(study, Run(arm, seed, 0), cases, folds, say)
        for case in cases[1]:
            prediction = read_mask(masks[case.identifier])
            observations += observed(case, prediction)
            assert case.prior is not None, "find_unseen gives no other"
            prior, reference = (read_mask(path, like=prediction) for path in (case.prior, case.mask))
            fates += prior_fates(case.patient, prior, reference, prediction)
    return Unseen(tuple(observations), tuple(fates))


def _segmented(
    study: Study,
    run: Run,
    cases: tuple[Sequence[TrainingCase], Sequence[TrainingCase]],
    folds: Sequence[Fold],
    say: Callable[[str], None],
) -> dict[str, Path]:
    own, others = cases
    name = f"{run.arm.name}-seed{run.seed}"
    home = study.output / "unseen" / name
    model = publish(study.training(run, folds), own, Publication(name), home / "model")
    # More folds are another ensemble, whose answers lie apart.
    masks = {case.identifier: home / model.digest[:12] / f"{case.identifier}.nii.gz" for case in others}
    left = [case for case in others if not masks[case.identifier].is_file()]
    if left:
        say(f"Segmenting {len(left)} unseen cases: {name}, folds {', '.join(model.folds)}")
        loaded = LoadedModel.load(model, PredictOptions(device=cast(Device, study.device)))
    for case in left:
        image = read_volume(case.image)
        assert case.prior is not None, "find_unseen gives no other"
        prior = VisitPrior(read_mask(case.prior, like=image))
        write_volume(segment_visit(image, loaded, prior=prior).lesions.label_map(), masks[case.identifier])
    return masks
