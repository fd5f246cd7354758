"""What the pre-RT visit tells `hntargetseg segment`: registered here, by a given transform, or a registered mask."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.export.manifest import InputRecord
    from HNTargetSegLib.lesions.lesion import LesionSet
    from HNTargetSegLib.lesions.registered import RegisteredLesions
    from HNTargetSegLib.models.channels import VisitPrior
    from HNTargetSegLib.prior.registration import Registration

PRIOR, TRANSFORM = "prior.nii.gz", "transform.h5"
"""Files beside the mid-RT result: the registered delineation, and the transform that has carried it."""

ProgressBar = Callable[[str], AbstractContextManager[Callable[[str, int, int], None]]]


@dataclass(frozen=True, eq=False)
class CarriedPrior:
    """The pre-RT lesions on the mid-RT grid.

    Attributes
    ----------
    registered
        Lesions, their volumes before registration, and those outside the field of view.
    inputs
        Hash by role of what it was made of.
    registration
        None for a mask that was registered elsewhere.
    image
        Pre-RT T2 on the mid-RT grid, where it was registered.
    confirmed
        A poor registration that the user has accepted.
    """

    registered: RegisteredLesions
    inputs: Mapping[str, InputRecord]
    registration: Registration | None = None
    image: Volume | None = None
    confirmed: bool = False

    @property
    def for_network(self) -> VisitPrior:
        """What a model with more channels than the T2 reads."""
        from HNTargetSegLib.models.channels import VisitPrior

        return VisitPrior(self.registered.lesions.label_map(), self.image)

    def matched(self, lesions: LesionSet) -> LesionSet:
        """Lesions of the mid-RT visit with what became of those before."""
        from HNTargetSegLib.lesions.match import match_lesions

        return match_lesions(lesions, self.registered.lesions, native_cc=self.registered.native_cc or None)

    def record(self) -> dict[str, object]:
        """What the manifest says of it."""
        names = [lesion.name for lesion in self.registered.lesions]
        lost = list(self.registered.lost)
        if self.registration is None:
            return {"engine": "none: the mask was registered elsewhere", "lesions": names}
        seconds = {stage: round(value, 3) for stage, value in self.registration.seconds.items()}
        return {
            **self.registration.quality.to_dict(),
            "engine": self.registration.engine,
            "confirmed_by_reviewer": self.confirmed,
            "lesions": names,
            "outside_the_field_of_view": lost,
            "seconds": seconds,
        }

    def warnings(self) -> tuple[str, ...]:
        """What a reader of the result should know."""
        found = () if self.registration is None else self.registration.quality.problems
        lost = self.registered.lost
        gone = (f"Outside the mid-RT field of view, so that nothing is said of it: {', '.join(lost)}",) if lost else ()
        return (*found, *gone)

    def write(self, folder: Path) -> None:
        """Write the registered delineation and the transform beside the mid-RT result; errors as the writers'."""
        from HNTargetSegLib.case.write import write_volume
        from HNTargetSegLib.prior.given import write_transform

        write_volume(self.registered.lesions.label_map(), folder / PRIOR)
        if self.registration is not None:
            write_transform(self.registration.transform, folder / TRANSFORM)


def add_prior_arguments(parser: argparse.ArgumentParser) -> None:
    """Options about the pre-RT delineation."""
    group = parser.add_argument_group("pre-RT delineation, whose lesions are matched to those found at mid-RT")
    group.add_argument("--pre-mask", type=Path, metavar="MASK", help="on the grid of --pre; the visits are registered")
    group.add_argument("--registered-mask", type=Path, metavar="MASK", help="on the grid of --mid, registered already")
    group.add_argument("--transform", type=Path, metavar="FILE", help="take this .h5 or .tfm instead of registering")
    group.add_argument("--no-register", action="store_true", help="do not register: nothing is matched")
    group.add_argument("--accept-registration", action="store_true", help="use a registration that is flagged as poor")


def wants_prior(options: argparse.Namespace) -> bool:
    """Whether something of the pre-RT visit is to be carried to mid-RT; says what contradicts itself.

    Raises
    ------
    BadInputError
        If options exclude each other, or an image is missing.
    """
    if options.registered_mask is not None and (options.pre_mask is not None or options.transform is not None):
        raise BadInputError(
            "A registered mask needs neither --pre-mask nor --transform",
            remedy="Give --registered-mask alone, or --pre with --pre-mask",
        )
    if options.transform is not None and options.pre_mask is None:
        raise BadInputError("--transform carries the pre-RT delineation", remedy="Give it with --pre and --pre-mask")
    if options.pre_mask is not None and options.pre is None:
        raise BadInputError("--pre-mask needs the pre-RT image", remedy="Give it with --pre")
    if options.pre_mask is None and options.registered_mask is None:
        return False
    if options.mid is None:
        raise BadInputError("There is no mid-RT image to match with", remedy="Give it with --mid")
    return not (options.no_register and options.registered_mask is None)


def carried_prior(options: argparse.Namespace, mid: Volume, bar: ProgressBar) -> CarriedPrior | None:
    """Bring the pre-RT lesions onto the mid-RT grid as the options say; None where they ask for none.

    Raises
    ------
    BadInputError
        If the visits seem to be swapped or of two patients, the registration is poor, or a file cannot be used.
    GeometryError
        If a mask does not lie on the grid of its image.
    """
    if not wants_prior(options):
        return None
    if options.registered_mask is not None:
        return _given(options.registered_mask, mid)
    return _registered(options, mid, bar)


def _given(path: Path, mid: Volume) -> CarriedPrior:
    from HNTargetSegLib.export.manifest import input_record
    from HNTargetSegLib.lesions.find import find_lesions
    from HNTargetSegLib.lesions.registered import RegisteredLesions
    from HNTargetSegLib.prior.given import read_registered_mask

    lesions = find_lesions(read_registered_mask(path, mid))
    return CarriedPrior(RegisteredLesions(lesions, {}, ()), {"registered_mask": input_record("registered_mask", path)})


def _registered(options: argparse.Namespace, mid: Volume, bar: ProgressBar) -> CarriedPrior:
    from HNTargetSegLib.case.read import read_mask, read_volume
    from HNTargetSegLib.export.manifest import input_record
    from HNTargetSegLib.lesions.registered import carry_mask
    from HNTargetSegLib.lesions.side import body_midline

    pre = read_volume(options.pre)
    mask = read_mask(options.pre_mask, like=pre)
    if not mask.array.any():
        raise BadInputError("The pre-RT delineation is empty", path=options.pre_mask, remedy="Check that it is the one")
    _require_pair(options, pre, mid)
    paths = {"preRT_T2": options.pre, "preRT_mask": options.pre_mask, "transform": options.transform}
    inputs = {role: input_record(role, path) for role, path in paths.items() if path is not None}
    with bar("registration") as progress:
        found = _transform(options, mid, pre, progress)
    if not found.quality.good and not options.accept_registration:
        try:
            found.require_good()
        except BadInputError as error:
            remedy = f"{error.remedy} with --accept-registration; hntargetseg register writes such a picture"
            raise BadInputError(error.what, path=options.pre, remedy=remedy) from error
    registered = carry_mask(mask, found.labels, midline_mm=body_midline(mid))
    return CarriedPrior(registered, inputs, found, found.image(pre), confirmed=not found.quality.good)


def _transform(
    options: argparse.Namespace, mid: Volume, pre: Volume, progress: Callable[[str, int, int], None]
) -> Registration:
    from HNTargetSegLib.prior.deform import DeformOptions
    from HNTargetSegLib.prior.given import read_transform
    from HNTargetSegLib.prior.registration import RegisterOptions, register, take_transform
    from HNTargetSegLib.worker.registering import torch_device

    wanted = RegisterOptions(deform=replace(DeformOptions(), device=torch_device(options.device)))
    if options.transform is not None:
        return take_transform(mid, pre, read_transform(options.transform), wanted, progress=progress)
    return register(mid, pre, wanted, progress=progress)


def _require_pair(options: argparse.Namespace, pre: Volume, mid: Volume) -> None:
    """Refuse what headers, dates and names say is no pair, as the review asks about it."""
    from HNTargetSegLib.case.patient import PatientFiles, Visit
    from HNTargetSegLib.review.case import ReviewCase, VisitImage

    paths = {Visit.PRE: options.pre, Visit.MID: options.mid}
    identities = PatientFiles("patient", pre=options.pre, mid=options.mid).identities()
    images = {Visit.PRE: pre, Visit.MID: mid}
    case = ReviewCase("patient", {v: VisitImage(images[v], paths[v], identities.get(v)) for v in Visit})
    questions = case.questions()
    if questions and not options.accept_registration:
        raise BadInputError(
            " ".join(question.text.rstrip(".") for question in questions),
            path=options.pre,
            remedy="Check --pre and --mid; if they are right, use the pair all the same with --accept-registration",
        )
