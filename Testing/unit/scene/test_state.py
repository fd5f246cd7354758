"""The review inside the scene: saved with it, found again in another process, shared by two modules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from Testing.unit.scene.small_case import LN_BOX, PT_BOX, Opened, draw, oblique_axes, volume

from HNTargetSegLib.case.labels import Target
from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.lesions.lesion import State
from HNTargetSegLib.lesions.record import lesion_to_json
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.stored import review_to_json
from HNTargetSegLib.scene.logics import SceneLogics
from HNTargetSegLib.scene.review_scene import ReviewScene
from HNTargetSegLib.scene.state import find_state, stored_text

PRE, MID = Visit.PRE, Visit.MID
MORE = (slice(9, 11), *PT_BOX[1:])
Maker = Callable[..., Opened]

_READ = """
import json, sys
from pathlib import Path
from Testing.slicerhost.core import start_core
from HNTargetSegLib.lesions.record import lesion_to_json
from HNTargetSegLib.review.case import ReviewCase, VisitImage
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.scene.review_scene import ReviewScene

core = start_core(Path(sys.argv[2]))
session = ReviewSession()
review = ReviewScene(session, core.scene)
assert session.case is None
core.scene.SetRootDirectory(sys.argv[2])
assert core.scene.ReadFromMRB(sys.argv[1], True)
review.process_pending()
print(json.dumps({
    "name": session.case and session.case.name,
    "reviewer": session.reviewer,
    "active": session.active.value,
    "said": [str(message) for message in session.said],
    "visits": {visit.value: {
        "lesions": [lesion_to_json(lesion) for lesion in found.records],
        "hidden": sorted(found.hidden),
        "touched": sorted(found.touched),
        "voxels": [int(x) for x in found.lesions.ids.array.ravel().nonzero()[0]] if found.lesions else [],
        "origin": found.image.image.geometry.origin,
        "grey": float(found.image.image.array.sum(dtype="f8")),
        "segments": [review.segment_id(visit, lesion.id) for lesion in found.records],
        "model": found.run and found.run.model.name,
    } for visit, found in session.visits.items()},
}))
"""


def read_elsewhere(path: Path, folder: Path) -> dict[str, Any]:
    """What a review scene of another process finds in an .mrb file."""
    folder.mkdir()
    command = [sys.executable, "-c", _READ, str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_review_in_an_mrb_file_goes_on_in_another_process(opened: Maker, scene: Any, tmp_path: Path) -> None:
    review = opened(axes=oblique_axes(1))
    review.propose(PRE, (Target.LN, LN_BOX))
    review.propose()
    review.session.accept(PRE, 1)
    review.session.reject(MID, 2)
    review.session.rename(MID, 1, "GTVp | tongue: ü")
    review.session.set_shown(MID, [2], False)
    review.draw("lesion-1", MORE)
    review.session.activate(PRE)
    assert scene.WriteToMRB(str(tmp_path / "review.mrb"))

    found = read_elsewhere(tmp_path / "review.mrb", tmp_path / "other")

    assert (found["name"], found["reviewer"], found["active"], found["said"]) == ("case 7", "A. Reader", "pre", [])
    for visit, there in found["visits"].items():
        here = review.session.visits[Visit(visit)]
        assert here.lesions is not None
        assert there["lesions"] == json.loads(json.dumps([lesion_to_json(lesion) for lesion in here.records]))
        assert there["hidden"] == sorted(here.hidden)
        assert there["touched"] == sorted(here.touched)
        assert there["voxels"] == here.lesions.ids.array.ravel().nonzero()[0].tolist()
        assert there["grey"] == here.image.image.array.sum(dtype="f8")
        np.testing.assert_allclose(there["origin"], here.image.image.geometry.origin, atol=1e-6)
        assert there["model"] == "demo"
    assert found["visits"]["mid"]["segments"] == ["lesion-1", "lesion-2"]


def test_segments_that_nobody_had_followed_when_the_scene_was_saved_count_as_drawn(
    opened: Maker, scene: Any, tmp_path: Path
) -> None:
    review = opened(visits=(MID,))
    review.propose()
    added = review.segmentation().AddEmptySegment("", "GTVn7")
    for segment_id, box in ((added, (slice(14, 17), slice(2, 6), slice(2, 6))), ("lesion-1", MORE)):
        draw(review.node(), segment_id, review.review.volume_node(MID), box)
    assert len(review.session.lesions(MID)) == 2
    assert scene.WriteToMRB(str(tmp_path / "review.mrb"))

    found = read_elsewhere(tmp_path / "review.mrb", tmp_path / "other")["visits"]["mid"]["lesions"]

    assert [(lesion["name"], lesion["state"]) for lesion in found] == [
        ("GTVp", "edited"),
        ("GTVn1", "proposed"),
        ("GTVn7", "added"),
    ]
    assert found[0]["voxels"] == 4 * 6 * 6 + 2 * 6 * 6


def test_rejected_lesion_that_was_changed_unseen_before_the_scene_was_saved_stays_rejected(
    opened: Maker, scene: Any, tmp_path: Path
) -> None:
    review = opened(visits=(MID,))
    review.propose()
    review.session.reject(MID, 1)
    draw(review.node(), "lesion-1", review.review.volume_node(MID), MORE)
    assert scene.WriteToMRB(str(tmp_path / "review.mrb"))

    found = read_elsewhere(tmp_path / "review.mrb", tmp_path / "other")["visits"]["mid"]["lesions"]

    assert (found[0]["state"], found[0]["voxels"]) == ("rejected", 4 * 6 * 6 + 2 * 6 * 6)


def test_lesion_that_was_moved_unseen_and_kept_its_size_counts_as_edited(
    opened: Maker, scene: Any, tmp_path: Path
) -> None:
    review = opened(visits=(MID,))
    review.propose()
    review.session.accept(MID, 1, 2)
    k, j, i = PT_BOX
    draw(review.node(), "lesion-1", review.review.volume_node(MID), (slice(k.start, k.start + 1), j, i), 0)
    draw(review.node(), "lesion-1", review.review.volume_node(MID), (slice(k.stop, k.stop + 1), j, i))
    assert scene.WriteToMRB(str(tmp_path / "review.mrb"))

    found = read_elsewhere(tmp_path / "review.mrb", tmp_path / "other")["visits"]["mid"]

    assert [(x["state"], x["voxels"]) for x in found["lesions"]] == [("edited", 4 * 6 * 6), ("accepted", 4 * 6 * 8)]
    assert found["touched"] == [1]


def reopened(scene: Any, path: Path) -> None:
    """Close the scene and read a file into it."""
    scene.Clear(0)
    assert scene.ReadFromMRB(str(path), True)


def test_scene_is_closed_and_read_back_under_a_running_module(opened: Maker, scene: Any, tmp_path: Path) -> None:
    review = opened()
    review.propose()
    review.session.accept(MID, 1)
    records = review.session.lesions(MID)
    assert scene.WriteToMRB(str(tmp_path / "review.mrb"))

    scene.Clear(0)
    assert review.session.case is None
    assert review.review.volume_node(MID) is None

    assert scene.ReadFromMRB(str(tmp_path / "review.mrb"), True)
    assert review.session.lesions(MID) == records
    assert review.review.volume_node(MID).GetScene() is scene
    review.draw("lesion-1", MORE)
    assert review.lesion(1).state is State.EDITED


def test_scene_without_a_review_restores_nothing(opened: Maker, scene: Any) -> None:
    review = opened()
    review.session.close()

    assert review.review.restore() is False
    assert stored_text(find_state(scene)) == ""


def test_state_is_in_the_scene_after_each_change(opened: Maker, scene: Any) -> None:
    review = opened()
    review.propose()
    for say in (review.session.accept, review.session.reject, review.session.reset):
        say(MID, 1)
        assert stored_text(find_state(scene)) == review_to_json(review.session)


def test_module_that_comes_second_joins_the_review_that_is_there(
    opened: Maker, scene: Any, logics: SceneLogics
) -> None:
    first = opened()
    first.propose()
    first.session.accept(MID, 1)
    nodes = scene.GetNumberOfNodes()
    session = ReviewSession("B. Reader")
    second = ReviewScene(session, scene, logics=logics)

    assert session.lesions(MID) == first.session.lesions(MID)
    assert second.segmentation_node(MID) is first.node()
    assert scene.GetNumberOfNodes() == nodes
    second.dispose()


def test_two_modules_on_one_scene_follow_each_other_and_come_to_rest(
    opened: Maker, scene: Any, logics: SceneLogics
) -> None:
    first = opened()
    first.propose()
    session = ReviewSession("A. Reader")
    second = ReviewScene(session, scene, logics=logics)

    first.session.accept(MID, 1)
    second.process_pending()
    assert session.lesions(MID)[0].state is State.ACCEPTED

    session.reject(MID, 2)
    first.review.process_pending()
    assert first.lesion(2).state is State.REJECTED

    first.draw("lesion-1", MORE)
    for _ in range(3):
        second.process_pending()
        first.review.process_pending()
    assert session.lesions(MID) == first.session.lesions(MID)
    assert not first.review.pending
    assert not second.pending
    assert session.said == []
    second.dispose()


def test_second_module_follows_to_the_next_patient(opened: Maker, scene: Any, logics: SceneLogics) -> None:
    first = opened()
    first.propose()
    session = ReviewSession("A. Reader")
    second = ReviewScene(session, scene, logics=logics)
    first.session.open(ReviewCase("case 8", {MID: VisitImage(volume(5))}))
    first.propose()
    for _ in range(2):
        second.process_pending()
        first.review.process_pending()

    assert session.case is not None
    assert session.case.name == "case 8"
    assert session.lesions(MID) == first.session.lesions(MID)
    assert first.names() == ["GTVp", "GTVn1"]
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1
    second.dispose()


def test_two_scenes_of_one_session_share_the_nodes(opened: Maker, scene: Any, logics: SceneLogics) -> None:
    first = opened()
    nodes = scene.GetNumberOfNodes()
    second = ReviewScene(first.session, scene, logics=logics)
    first.propose()

    assert second.volume_node(MID) is first.review.volume_node(MID)
    assert scene.GetNumberOfNodes() == nodes
    assert first.names() == ["GTVp", "GTVn1"]

    first.draw("lesion-1", MORE)
    second.process_pending()
    assert first.lesion(1).voxels == 6 * 6 * 6
    second.dispose()


def test_review_of_a_scene_that_is_added_does_not_replace_the_open_one(
    opened: Maker, scene: Any, tmp_path: Path
) -> None:
    review = opened()
    review.propose()
    assert scene.WriteToMRB(str(tmp_path / "other.mrb"))
    review.session.reject(MID, 1)

    assert scene.ReadFromMRB(str(tmp_path / "other.mrb"), False)

    assert review.lesion(1).state is State.REJECTED
    assert ["a review of its own" in message.text for message in review.said] == [True]
    assert stored_text(find_state(scene)) == review_to_json(review.session)
    assert find_state(scene).GetNodeReference("midRTVolume") is review.review.volume_node(MID)


def test_segments_of_a_scene_that_was_added_are_not_taken_for_those_of_the_next_patient(
    opened: Maker, scene: Any, tmp_path: Path
) -> None:
    review = opened(visits=(MID,))
    review.propose()
    assert scene.WriteToMRB(str(tmp_path / "other.mrb"))
    assert scene.ReadFromMRB(str(tmp_path / "other.mrb"), False)
    review.session.open(ReviewCase("case 8", {MID: VisitImage(volume(5))}))

    assert review.names() == []
    added = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    assert added is not review.node()
    assert added.GetSegmentation().GetNumberOfSegments() == 2


def test_damaged_state_is_told_and_leaves_the_session_empty(opened: Maker, scene: Any, logics: SceneLogics) -> None:
    review = opened()
    review.review.dispose()
    find_state(scene).SetParameter("review", "{broken")
    session = ReviewSession()
    second = ReviewScene(session, scene, logics=logics)

    assert session.case is None
    assert ["cannot be read" in message.text for message in session.said] == [True]
    second.dispose()


def test_state_node_is_the_parameter_node_of_the_module(opened: Maker, scene: Any) -> None:
    opened()
    node = find_state(scene)

    assert (node.GetSingletonTag(), node.GetModuleName(), node.GetClassName()) == (
        "HNTargetSeg",
        "HNTargetSeg",
        "vtkMRMLScriptedModuleNode",
    )


@pytest.mark.parametrize("what", ["volume", "segmentation", "state"])
def test_node_that_is_removed_does_not_come_back_with_the_file(
    opened: Maker, scene: Any, tmp_path: Path, what: str
) -> None:
    review = opened()
    review.propose()
    node = {
        "volume": review.review.volume_node(PRE),
        "segmentation": review.node(),
        "state": find_state(scene),
    }[what]
    review.review.dispose()
    scene.RemoveNode(node)
    assert scene.WriteToMRB(str(tmp_path / "part.mrb"))

    found = read_elsewhere(tmp_path / "part.mrb", tmp_path / "other")

    if what == "state":
        assert found["visits"] == {}
    else:
        assert sorted(found["visits"]) == (["mid"] if what == "volume" else ["mid", "pre"])
        assert len(found["visits"]["mid"]["lesions"]) == (2 if what == "volume" else 0)
