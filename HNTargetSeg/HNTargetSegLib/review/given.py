"""Where lesions of a visit came from when they were read from a file of another review or system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from HNTargetSegLib.case.dicom_rtstruct import Roi, Rtstruct


@dataclass(frozen=True)
class GivenDelineation:
    """The file that lesions were read from.

    Attributes
    ----------
    path
        Where it was.
    sha256
        Of its bytes.
    patient_id
        Whose it is, empty where it does not say.
    rtstruct_uid
        SOP Instance UID of an RTSTRUCT, which later ones name as their predecessor; empty for other files.
    uids
        UID of each lesion as a thing in the patient, by its name; what later exports keep.
    """

    path: str
    sha256: str
    patient_id: str = ""
    rtstruct_uid: str = ""
    uids: Mapping[str, str] = field(default_factory=dict)

    def as_predecessor(self) -> Rtstruct:
        """The file as what an export of a later review succeeds."""
        rois = tuple(
            Roi(number, name, "", (), conceptual_volume_uid=uid)
            for number, (name, uid) in enumerate(self.uids.items(), 1)
        )
        return Rtstruct(Path(self.path), self.patient_id, "", self.rtstruct_uid, rois)


def given_to_json(given: GivenDelineation | None) -> dict[str, Any] | None:
    """JSON form; None stays None."""
    return None if given is None else {**asdict(given), "uids": dict(given.uids)}


def given_from_json(record: Mapping[str, Any] | None) -> GivenDelineation | None:
    """Inverse of :func:`given_to_json`; TypeError where the record is none."""
    return None if record is None else GivenDelineation(**record)
