"""MR volumes as nodes of the scene."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import Opened, volume

from HNTargetSegLib.case.identity import SeriesIdentity
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.case.read import read_volume
from HNTargetSegLib.case.volume import Geometry, Volume
from HNTargetSegLib.errors import BadInputError
from HNTargetSegLib.review.case import Concern, VisitImage
from HNTargetSegLib.scene.given import case_of_nodes
from HNTargetSegLib.scene.volumes import add_volume, fill_volume, volume_of, window_of
from HNTargetSegLib.scene.window import from_fractions, preset, robust_range, to_fractions


def of_type(dtype: Any, low: float = 0, high: float = 100) -> Volume:
    array = np.linspace(low, high, 4 * 5 * 6).astype(dtype).reshape(4, 5, 6)
    return Volume(array, Geometry((6, 5, 4)))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_voxels_of_vtk_s_types_are_shared(scene: Any, dtype: str) -> None:
    image = of_type(dtype)
    node = add_volume(scene, VisitImage(image), Visit.PRE, "p")

    assert np.shares_memory(volume_of(node).array, image.array)


@pytest.mark.parametrize("dtype", ["bool", "float16", "int64", "uint64", ">i2", ">f4"])
def test_voxels_of_other_types_keep_their_values(scene: Any, dtype: str) -> None:
    image = of_type(dtype)
    node = add_volume(scene, VisitImage(image), Visit.PRE, "p")

    np.testing.assert_array_equal(volume_of(node).array, image.array.astype(float))


def test_integers_beyond_32_bits_keep_their_values(scene: Any) -> None:
    image = of_type("int64", high=2**40)
    node = add_volume(scene, VisitImage(image), Visit.PRE, "p")

    np.testing.assert_array_equal(volume_of(node).array, image.array.astype(float))


def test_voxels_in_another_order_of_memory_keep_their_places(scene: Any) -> None:
    plain = of_type("float32")
    image = Volume(np.asfortranarray(plain.array), plain.geometry)
    node = add_volume(scene, VisitImage(image), Visit.PRE, "p")

    np.testing.assert_array_equal(volume_of(node).array, plain.array)


def test_node_tells_visit_patient_and_date(scene: Any) -> None:
    identity = SeriesIdentity(series_date="20300405")
    node = add_volume(scene, VisitImage(volume(), identity=identity), Visit.MID, "case 7")

    attributes = [node.GetAttribute(f"HNTargetSeg.{name}") for name in ("Visit", "Patient", "Date")]
    assert attributes == ["mid", "case 7", "2030-04-05"]
    assert node.GetName() == "case 7 mid-RT T2"


def test_one_bright_artefact_does_not_darken_the_image(scene: Any) -> None:
    image = volume()
    image.array[0, 0, 0] = 1e9
    node = add_volume(scene, VisitImage(image), Visit.PRE, "p")

    assert window_of(node).center + window_of(node).width / 2 < image.array.size


def test_even_image_has_a_window_all_the_same() -> None:
    assert robust_range(np.full((3, 3, 3), 7.0)) == (7.0, 8.0)


def _head(fluid: float, scale: float = 1.0) -> np.ndarray:
    """Air, tissue from 200 to 400, and a share of the tissue that is ten times as bright."""
    random = np.random.default_rng(5)
    array = random.normal(5, 1, (20, 40, 40))
    tissue = random.uniform(200, 400, (20, 20, 20))
    tissue[random.random(tissue.shape) < fluid] *= 10
    array[:, 10:30, 10:30] = tissue
    return (array * scale).astype(np.float32)


def test_bright_fluid_does_not_darken_the_tissue_of_one_visit() -> None:
    without, much = robust_range(_head(0.0)), robust_range(_head(0.08))
    assert without == pytest.approx((2.8, 398), rel=0.03)
    # As bright as it would be beside an image without fluid, to a factor of two.
    assert much[1] < 2 * without[1]
    assert much[1] > 400


def test_window_of_an_image_follows_its_scale() -> None:
    assert robust_range(_head(0.02, 30.0)) == pytest.approx(np.multiply(robust_range(_head(0.02)), 30.0), rel=1e-3)


def test_an_image_of_two_values_is_seen_from_one_to_the_other() -> None:
    array = np.zeros((10, 10, 10))
    array[5, 5, 5] = 1
    assert robust_range(array) == (0.0, 1.0)


def test_window_as_fractions_and_back() -> None:
    window = preset("hard", (100.0, 500.0))

    assert from_fractions(*to_fractions(window, (100.0, 500.0)), (100.0, 500.0)) == window


def test_label_map_is_no_volume(scene: Any) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    fill_volume(node, of_type("uint8"))

    with pytest.raises(BadInputError, match="no MR volume"):
        volume_of(node)


def test_empty_node_is_refused(scene: Any) -> None:
    with pytest.raises(BadInputError, match="holds no image"):
        volume_of(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_case_of_nodes_changes_nothing_of_them(scene: Any, opened: Any) -> None:
    review: Opened = opened(visits=(Visit.MID,))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "loaded")
    fill_volume(node, volume(5))
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(123.0, 456.0)

    review.session.open(case_of_nodes(None, node, "named"))

    assert review.review.volume_node(Visit.MID) is node
    assert node.GetName() == "loaded"
    assert (node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) == (123.0, 456.0)
    assert review.session.case is not None
    assert review.session.case.name == "named"


def test_volumes_that_were_there_before_stay_when_the_review_ends(scene: Any, opened: Any) -> None:
    review: Opened = opened(visits=(Visit.MID,))
    made = review.review.volume_node(Visit.MID)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "loaded")
    fill_volume(node, volume(5))

    review.session.open(case_of_nodes(None, node))
    assert made.GetScene() is None

    review.session.close()
    assert node.GetScene() is scene
    assert node.GetAttribute("HNTargetSeg.Visit") is None


def test_one_volume_for_two_visits_is_refused(scene: Any, opened: Any) -> None:
    review: Opened = opened(visits=(Visit.MID,))
    node = review.review.volume_node(Visit.MID)

    with pytest.raises(BadInputError, match="both visits"):
        case_of_nodes(node, node)


def test_case_of_no_volume_is_refused(opened: Any) -> None:
    with pytest.raises(BadInputError, match="No volume is chosen"):
        case_of_nodes(None, None)


def test_volume_read_from_a_file_names_it_as_its_source(scene: Any, opened: Any, core: Any, tmp_path: Any) -> None:
    from HNTargetSegLib.case.write import write_volume

    path = tmp_path / "t2.nii.gz"
    write_volume(volume(8), path)
    node = core.logics["Volumes"].AddArchetypeVolume(str(path), "t2")

    case = case_of_nodes(None, node)

    assert case.visits[Visit.MID].source == path
    assert case.visits[Visit.MID].image.geometry.largest_shift(volume(8).geometry) < 1e-3


def test_real_oblique_series_lies_where_slicer_s_own_reader_puts_it(
    scene: Any, core: Any, complaints: Any, real_data: Any, tmp_path: Any
) -> None:
    with zipfile.ZipFile(real_data / "mr-dicom-oblique" / "t1_axial_oblique_60_slices.zip") as archive:
        archive.extractall(tmp_path)
    first = min(path for path in tmp_path.rglob("*") if path.is_file() and path.name != "LICENSE")
    ours = read_volume(first.parent)
    node = add_volume(scene, VisitImage(ours), Visit.PRE, "real")

    theirs = volume_of(core.logics["Volumes"].AddArchetypeVolume(str(first), "theirs"))
    # Slicer tries its readers one after the other.
    complaints.seen.clear()
    back = volume_of(node)

    assert back.geometry.largest_shift(ours.geometry) < 1e-9
    place = theirs.geometry.to_lps(np.array([10, 20, 30]))
    k, j, i = np.rint(back.geometry.to_kji(place)).astype(int)
    np.testing.assert_allclose(back.geometry.to_kji(place), (k, j, i), atol=1e-3)
    assert back.array[k, j, i] == theirs.array[10, 20, 30]
    assert back.array.std() > 0


def loaded_from_dicom(scene: Any, seed: int, patient: str, date: str) -> Any:
    """A volume where Slicer's DICOM module puts it: under its study, under its patient."""
    import slicer

    node = slicer.vtkMRMLScalarVolumeNode()
    scene.AddNode(node)
    node.SetName("201: T2 ax")
    fill_volume(node, volume(seed))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    person = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Somebody")
    hierarchy.SetItemAttribute(person, "DICOM.PatientID", patient)
    study = hierarchy.CreateStudyItem(person, "MR")
    hierarchy.SetItemAttribute(study, "DICOM.StudyDate", date)
    hierarchy.CreateItem(study, node)
    return node


def test_volumes_that_slicer_read_from_dicom_tell_whose_they_are_and_of_when(opened: Any, scene: Any) -> None:
    pre = loaded_from_dicom(scene, 1, "P-17", "20300102")
    mid = loaded_from_dicom(scene, 2, "P-17", "20300203")

    case = case_of_nodes(pre, mid)
    assert (case.name, case.questions()) == ("P-17", ())
    assert [case.visits[visit].date for visit in case] == ["2030-01-02", "2030-02-03"]

    assert [question.concern for question in case_of_nodes(mid, pre).questions()] == [Concern.SWAPPED]


def test_volumes_of_two_patients_in_the_scene_are_asked_about(opened: Any, scene: Any) -> None:
    pre = loaded_from_dicom(scene, 1, "P-17", "20300102")
    mid = loaded_from_dicom(scene, 2, "P-18", "20300203")

    (question,) = case_of_nodes(pre, mid).questions()
    assert question.concern is Concern.OTHER_PATIENT
    assert "P-17" in question.text
    assert "P-18" in question.text


def test_volume_that_is_not_from_dicom_tells_nothing(opened: Any, scene: Any) -> None:
    node = add_volume(scene, VisitImage(volume(5)), Visit.PRE, "p")

    assert case_of_nodes(node, None).visits[Visit.PRE].identity is None
