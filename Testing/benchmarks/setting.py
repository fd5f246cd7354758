"""What all benchmarks share: the model, the generated images, how often to measure, and a folder to work in."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from HNTargetSegLib.case.write import write_volume
from HNTargetSegLib.cli.console import ALLOCATOR_VARIABLE
from HNTargetSegLib.models.options import allocator_environment
from HNTargetSegLib.models.stored import StoredModel, load_model
from HNTargetSegLib.phantom import PhantomOptions, generate_patient

SEED = 9001
"""Of the generated patients; no model of this project is trained on it."""

# Finer than the grid of the demonstration model, as clinical images are finer than that of most models.
_SPACING = (1.0, 1.0, 3.0)


@dataclass(frozen=True)
class Setting:
    """How the benchmarks run.

    Attributes
    ----------
    model
        The model of ours and theirs.
    folder
        For what is made on the way.
    size
        Voxels of a timed image along (i, j, k); voxels of 1 x 1 x 3 mm.
    repeats, peer_repeats
        Timed runs; the median counts.
    patients
        Patients on which fast and exact mode are compared.
    write_card
        Write the comparison into the card of the model.
    """

    model: StoredModel
    folder: Path
    size: tuple[int, int, int] = (256, 256, 64)
    repeats: int = 3
    peer_repeats: int = 2
    patients: int = 10
    write_card: bool = False

    def images(self, count: int) -> Path:
        """Folder of that many generated images, named as nnU-Net wants them (``<case>_0000.nii.gz``)."""
        folder = self.folder / f"images-{count}"
        if folder.is_dir():
            return folder
        options = PhantomOptions(size=self.size, spacing=_SPACING)
        for number in range((count + 1) // 2):
            patient = generate_patient(SEED, number, options)
            visits = {"mid": patient.mid, "pre": patient.pre}
            for visit, shown in list(visits.items())[: count - 2 * number]:
                write_volume(shown.image, folder / f"{patient.name}{visit}_0000.nii.gz")
        return folder

    def installed_model(self) -> tuple[StoredModel, dict[str, str]]:
        """The model in a store of its own, and the environment in which the command line finds it."""
        store = self.folder / "models"
        home = store / self.model.card.name
        if not home.is_dir():
            shutil.copytree(self.model.folder, home)
        return load_model(home), {"HNTARGETSEG_MODELS": str(store)}


def plain_environment(**more: str) -> dict[str, str]:
    """Environment of a command as a user starts it, without the allocator settings of this process."""
    ours = {*allocator_environment(), ALLOCATOR_VARIABLE}
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **more}


def case_of(image: Path) -> str:
    """nnU-Net's name of the case of an image."""
    return image.name.removesuffix("_0000.nii.gz")
