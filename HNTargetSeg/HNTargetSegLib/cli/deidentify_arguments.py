"""The options of `hntargetseg export` that remove what identifies the patient."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.export.deidentify_profile import Deidentification


def add_deidentify_arguments(parser: argparse.ArgumentParser) -> None:
    """Profile, key, and whether the images go along."""
    group = parser.add_argument_group("de-identification of DICOM objects")
    group.add_argument(
        "--deidentify",
        metavar="PROFILE",
        help="basic (PS3.15 basic profile), or basic with options: basic,dates,patient,device keeps dates shifted, "
        "the patient's sex, age, size and weight, and the scanner's model",
    )
    group.add_argument(
        "--deidentify-key",
        type=Path,
        metavar="FILE",
        help="secret that replaces UIDs, ids and dates, made where there is none; the same one fits all visits",
    )
    group.add_argument("--with-images", action="store_true", help="write the de-identified slices too, into images")


def deidentification_of(options: argparse.Namespace) -> Deidentification | None:
    """What the options ask for; None where nothing is to be removed.

    Raises
    ------
    BadInputError
        If an option is not known, or goes with ``--deidentify`` only.
    """
    if options.deidentify is None:
        if options.deidentify_key is not None or options.with_images:
            raise BadInputError("--deidentify-key and --with-images go with --deidentify", remedy="Give a profile too")
        return None
    from HNTargetSegLib.export.deidentify_profile import Deidentification, Key, Profile, key_file

    profile = Profile.from_text(options.deidentify)
    key = Key() if options.deidentify_key is None else key_file(options.deidentify_key)
    return Deidentification(profile, key, options.with_images)
