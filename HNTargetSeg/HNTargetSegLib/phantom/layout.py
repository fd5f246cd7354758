"""Writing synthetic patients in the folder layout of HNTS-MRG 2024."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from HNTargetSegLib.case.volume import Volume
from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.files import write_text
from HNTargetSegLib.phantom.patient import PhantomPatient
from HNTargetSegLib.phantom.visit import grid_positions


def write_patient(patient: PhantomPatient, folder: str | Path) -> Path:
    """Write one patient and its truth.

    ``<ID>/preRT/<ID>_preRT_{T2,mask}.nii.gz``, ``<ID>/midRT/<ID>_midRT_{T2,mask}.nii.gz``,
    ``<ID>/midRT/<ID>_preRT_{T2,mask}_registered.nii.gz`` and ``<ID>/<ID>_truth.json``.
    Unlike in the challenge, the registered files are not the result of a registration: they are warped by the true
    deformation, and so are better than any registration.

    Parameters
    ----------
    patient
        What to write.
    folder
        Made when missing.

    Returns
    -------
    pathlib.Path
        The patient's own folder.

    Raises
    ------
    OutputError
        If a file cannot be written; files written before stay.
    """
    name = patient.name
    home = Path(folder) / name
    t2, mask = registered_pre(patient)
    for place, volume in {
        f"preRT/{name}_preRT_T2": patient.pre.image,
        f"preRT/{name}_preRT_mask": patient.pre.mask,
        f"midRT/{name}_midRT_T2": patient.mid.image,
        f"midRT/{name}_midRT_mask": patient.mid.mask,
        f"midRT/{name}_preRT_T2_registered": t2,
        f"midRT/{name}_preRT_mask_registered": mask,
    }.items():
        write_volume(volume, home / f"{place}.nii.gz")
    write_text(home / f"{name}_truth.json", json.dumps(truth_record(patient), indent=1) + "\n")
    return home


def registered_pre(patient: PhantomPatient) -> tuple[Volume, Volume]:
    """Pre-RT T2 (linear) and mask (nearest voxel) warped by the true deformation onto the mid-RT grid; 0 outside."""
    from scipy.ndimage import map_coordinates

    place = grid_positions(patient.mid.image.geometry, patient.centre)
    there = np.stack(patient.deformation.to_pre(*place), axis=-1) + patient.centre
    where = np.moveaxis(patient.pre.image.geometry.to_kji(there), -1, 0)
    t2 = map_coordinates(patient.pre.image.array, where, np.float32, order=1)
    mask = map_coordinates(patient.pre.mask.array, where, np.uint8, order=0)
    return patient.mid.image.with_array(t2, "registered T2"), patient.mid.mask.with_array(mask, "registered mask")


def truth_record(patient: PhantomPatient) -> dict[str, object]:
    """What is known about a patient, for JSON: lesions, landmarks (LPS mm), and how to make it again."""
    return {
        "synthetic": True,
        "id": patient.name,
        "seed": patient.seed,
        "index": patient.index,
        "options": asdict(patient.options),
        "style": patient.options.style,
        "registered": "warped by the true deformation, not by a registration",
        "lesions": [asdict(lesion) for lesion in patient.truth],
        "landmarks": [
            {"name": name, "pre": pre, "mid": mid}
            for name, pre, mid in zip(
                patient.landmark_names,
                np.round(patient.landmarks_pre, 3).tolist(),
                np.round(patient.landmarks_mid, 3).tolist(),
                strict=True,
            )
        ],
    }
