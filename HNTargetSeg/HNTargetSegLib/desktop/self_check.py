"""What the module's self-tests do: the whole way from a generated patient to files that are read back."""

# ruff: noqa: PT009, PT027 (Slicer runs its self-tests with unittest)
from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.phantom.patient import PhantomOptions

SMALL = PhantomOptions(size=(96, 96, 32), spacing=(2.2, 2.6, 5.0))
"""Coarse, so that a run takes seconds on a CPU."""


class SelfCheck:
    """One check of the module, in the scene that is open.

    Parameters
    ----------
    case
        ``unittest.TestCase`` that the assertions are those of.
    logic
        Logic of the module.
    """

    def __init__(self, case: Any, logic: Any) -> None:
        self._case = case
        self._logic = logic
        # The user's own reviews are none of a check's business.
        autosave, folder = logic.shared.desk.autosave, tempfile.mkdtemp(prefix="hntargetseg-check-")
        case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        case.addCleanup(setattr, autosave, "home", autosave.home)
        autosave.home = Path(folder)

    def open_sample(self) -> None:
        """Both visits of the generated patient are in the scene, with their image and a segmentation."""
        import slicer

        self._case.assertTrue(self._logic.openSample(options=SMALL))
        desk = self._logic.shared.desk
        self._case.assertEqual([visit.value for visit in desk.session.visits], ["pre", "mid"])
        for visit in desk.session.visits:
            volume = desk.review_scene.volume_node(visit)
            self._case.assertTrue(slicer.mrmlScene.IsNodePresent(volume))
            self._case.assertEqual(volume.GetImageData().GetDimensions(), SMALL.size)

    def segment(self) -> None:
        """The shipped model finds lesions, and each is a segment with voxels."""
        self.open_sample()
        self._logic.segment("mid", wait=True)
        desk = self._logic.shared.desk
        lesions = desk.session.lesions()
        self._case.assertGreater(len(lesions), 0)
        segmentation = desk.review_scene.segmentation_node(desk.session.active).GetSegmentation()
        for lesion in lesions:
            segment = segmentation.GetSegment(desk.review_scene.segment_id(desk.session.active, lesion.id))
            self._case.assertEqual(segment.GetName(), lesion.name)

    def review(self) -> None:
        """What was said is shown, and undone one by one."""
        self.segment()
        first = self._first()
        self._logic.accept("mid", first["name"])
        self._case.assertEqual(self._first()["state"], "accepted")
        self._logic.rename("mid", first["name"], "Larynx")
        self._case.assertEqual(self._first()["name"], "Larynx")
        self._logic.reject("mid", "Larynx")
        self._case.assertEqual(self._first()["state"], "rejected")
        for _ in range(3):
            self._logic.undo()
        self._case.assertEqual(self._first(), first)
        self._logic.redo()
        self._case.assertEqual(self._first()["state"], "accepted")

    def export(self) -> None:
        """Nothing leaves undecided; what was confirmed or accepted is read back as it was, without the rejected."""
        from HNTargetSegLib.lesions.table import read_table

        self.segment()
        names = [row["name"] for row in self._logic.lesions("mid")]
        with tempfile.TemporaryDirectory() as folder:
            with self._case.assertRaises(BadInputError):
                self._logic.exportResults(folder)
            self._case.assertEqual(list(Path(folder).iterdir()), [])
            self._logic.reject("mid", names[0])
            self._logic.accept("mid", *names[2:])
            home = self._logic.exportResults(folder, confirmed=[("mid", name) for name in names[1:2]])["mid"]
            rows = read_table(home / "lesions.csv")
            self._case.assertEqual([row["name"] for row in rows], names[1:])
            self._case.assertTrue((home / "segmentation.nii.gz").is_file())

    def save_and_load(self) -> None:
        """A scene that is saved, closed and read again goes on where it was."""
        import slicer

        self.segment()
        self._logic.accept("mid", self._first()["name"])
        before = self._logic.lesions("mid")
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "review.mrb")
            self._case.assertTrue(slicer.mrmlScene.WriteToMRB(file))
            slicer.mrmlScene.Clear()
            self._case.assertIsNone(self._logic.shared.desk.session.case)
            self._case.assertTrue(slicer.mrmlScene.ReadFromMRB(file, True))
        self._case.assertEqual(self._logic.lesions("mid"), before)

    def _first(self) -> dict[str, Any]:
        return dict(self._logic.lesions("mid")[0])
