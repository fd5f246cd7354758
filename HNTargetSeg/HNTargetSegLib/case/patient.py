"""A patient with a pre-RT and a mid-RT visit: first as files, then as volumes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path

from HNTargetSegLib.case.checks import check_image
from HNTargetSegLib.case.dicom_series import read_identity
from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.read import read_mask, read_volume
from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.errors import BadInputError


class Visit(str, Enum):
    """When an image was taken, relative to radiotherapy."""

    PRE = "pre"
    MID = "mid"

    def __str__(self) -> str:
        return self.value

    @property
    def title(self) -> str:  # type: ignore[override]
        """Name that a reader sees."""
        return {Visit.PRE: "pre-RT", Visit.MID: "mid-RT"}[self]


@dataclass(frozen=True)
class PatientFiles:
    """Where a patient's images and masks lie; each a file or a DICOM folder, or None.

    Attributes
    ----------
    name
        Patient id.
    pre, mid
        T2w images of the two visits; at least one is there.
    pre_mask
        Delineation of the pre-RT image, on its grid: the prior once registered, the reference of the pre-RT visit.
    registered_pre, registered_mask
        The pre-RT image and its mask after registration, on the mid-RT grid.
    mid_mask
        Delineation of the mid-RT image: the reference of the mid-RT visit, never an input.

    Raises
    ------
    BadInputError
        If neither visit has an image.
    """

    name: str
    pre: Path | None = None
    mid: Path | None = None
    pre_mask: Path | None = None
    registered_pre: Path | None = None
    registered_mask: Path | None = None
    mid_mask: Path | None = None

    def __post_init__(self) -> None:
        if self.pre is None and self.mid is None:
            listed = ", ".join(str(path) for _, path in self) or "nothing"
            raise BadInputError(
                f"Patient {self.name} has neither a pre-RT nor a mid-RT image (found: {listed})",
                remedy="Add the T2w image of at least one visit",
            )

    def __iter__(self) -> Iterator[tuple[str, Path]]:
        """Roles and paths that are there."""
        for field in fields(self)[1:]:
            path = getattr(self, field.name)
            if path is not None:
                yield field.name, path

    def image(self, visit: Visit) -> Path | None:
        """The image of a visit."""
        return self.pre if visit is Visit.PRE else self.mid

    def reference(self, visit: Visit) -> Path | None:
        """The reference mask of a visit, on the grid of its image."""
        return self.pre_mask if visit is Visit.PRE else self.mid_mask

    def load(self, roles: Collection[str] | None = None, resample: bool = False) -> Patient:
        """Read the files.

        Parameters
        ----------
        roles
            Names of the attributes to read; None reads all but ``mid_mask``, which is no input.
        resample
            Bring masks of another grid onto that of their image by nearest neighbour.

        Raises
        ------
        BadInputError, GeometryError
            As :func:`read_volume`, :func:`read_mask` and :func:`check_image`, and if ``roles`` leaves no image.
        """
        wanted = {role: path for role, path in self if (role != "mid_mask" if roles is None else role in roles)}
        images = {role: read_volume(wanted[role]) for role in ("pre", "mid", "registered_pre") if role in wanted}
        warnings = tuple(f"{image.name}: {line}" for image in images.values() for line in check_image(image))
        masks = {
            role: read_mask(path, like=images.get("pre" if role == "pre_mask" else "mid"), resample=resample)
            for role, path in wanted.items()
            if role not in images
        }
        return Patient(name=self.name, warnings=warnings, **images, **masks)  # type: ignore[arg-type]

    def identities(self) -> dict[Visit, SeriesIdentity]:
        """What the DICOM headers of the visits' images say; visits that are not DICOM are left out."""
        found = {}
        for visit in Visit:
            path = self.image(visit)
            identity = None if path is None else read_identity(path)
            if identity is not None:
                found[visit] = identity
        return found


@dataclass(frozen=True, eq=False)
class Patient:
    """A patient's volumes; attributes as of :class:`PatientFiles`.

    Attributes
    ----------
    warnings
        What is unusual about the images, for the user to see.

    Raises
    ------
    BadInputError
        If neither visit has an image.
    GeometryError
        If a mask or a registered image is not on the grid of the image it belongs to.
    """

    name: str
    pre: Volume | None = None
    mid: Volume | None = None
    pre_mask: Volume | None = None
    registered_pre: Volume | None = None
    registered_mask: Volume | None = None
    mid_mask: Volume | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pre is None and self.mid is None:
            raise BadInputError(
                f"Patient {self.name} has neither a pre-RT nor a mid-RT image",
                remedy="Give the T2w image of at least one visit",
            )
        if self.pre is not None and self.pre_mask is not None:
            self.pre.require_same_grid(self.pre_mask)
        for follower in (self.registered_pre, self.registered_mask, self.mid_mask):
            if self.mid is not None and follower is not None:
                self.mid.require_same_grid(follower)

    def image(self, visit: Visit) -> Volume | None:
        """The image of a visit."""
        return self.pre if visit is Visit.PRE else self.mid

    def require_image(self, visit: Visit) -> Volume:
        """The image of a visit, or BadInputError when the patient has none."""
        image = self.image(visit)
        if image is None:
            raise BadInputError(
                f"Patient {self.name} has no {visit.title} image", remedy=f"Give the {visit.title} T2w image"
            )
        return image

    def reference(self, visit: Visit) -> Volume | None:
        """The reference mask of a visit."""
        return self.pre_mask if visit is Visit.PRE else self.mid_mask
