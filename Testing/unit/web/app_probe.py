"""Drives the review app without a browser and prints what it saw as JSON; a process of its own, as scenes stay."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from Testing.unit.web.conftest import IdleWorker

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.web.access_folders import AllowedFolders
from HNTargetSegLib.web.app import ReviewApp
from HNTargetSegLib.web.keys import SHORTCUTS
from HNTargetSegLib.web.serve import prepare_environment

SIZE = {"w": 200, "h": 160, "p": 1}


async def main(folder: Path) -> dict[str, Any]:
    prepare_environment()
    app = ReviewApp(IdleWorker(), AllowedFolders.of([folder]))
    seen: dict[str, Any] = {}
    seen["missing actions"] = [
        s.action for shortcuts in SHORTCUTS.values() for s in shortcuts if s.action not in app.actions
    ]
    await app.opening.open_given(folder)
    for page_view in app.desk.views.page_views().values():
        page_view.adapter.update_size("", SIZE)
    state = app.server.state
    seen["tiles"] = list(state.tiles)
    seen["letters"] = state.views["mid-axial"]["letters"]
    look_at_views(app, seen)
    draw(app, seen)
    app.lesions.activate("pre")
    drawn = app.session.lesions(Visit.MID)
    app.opening.close_patient()
    seen["after closing"] = [state.screen, list(state.tiles), state.tool]
    await app.opening.open_given(folder)
    app.opening.answer_saved("continue")
    gone_on = app.scene.segmentation_node(Visit.MID).GetSegmentation().GetNumberOfSegments()
    seen["gone on with"] = [app.session.lesions(Visit.MID) == drawn, gone_on, app.saving.unsaved]
    seen["said"] = [str(message) for message in app.session.said]
    app.close()
    return seen


def look_at_views(app: ReviewApp, seen: dict[str, Any]) -> None:
    state, views = app.server.state, app.desk.views

    def offsets() -> list[float]:
        return [round(views.get_view(name).get_slice_value(), 3) for name in ("pre-axial", "mid-axial")]

    before = offsets()
    app.stage.turn_wheel("mid-axial", 2)
    step = views.get_view("mid-axial").get_slice_step()
    seen["wheel moved"] = [round((b - a) / step) for a, b in zip(before, offsets(), strict=True)]
    app.stage.turn_wheel("mid-axial", 500)
    seen["stays inside"] = offsets()[1] <= views.get_view("mid-axial").get_slice_range()[1] + 1e-3
    app.stage.refresh()
    seen["slider follows"] = state.slice_mid_axial == offsets()[1]
    seen["picture"] = [int(views.page_views()["mid-axial"].window.img_cols_rows[0].max()), SIZE["w"]]
    app.press_key("2")
    seen["four"] = list(state.tiles)
    resting = [name for name, page_view in views.page_views().items() if page_view.view.is_render_blocked]
    seen["rest"] = sorted(resting)
    app.stage.enlarge("mid-coronal")
    seen["enlarged"] = [state.layout, list(state.tiles)]
    app.stage.enlarge("mid-coronal")
    seen["back"] = list(state.tiles)


def draw(app: ReviewApp, seen: dict[str, Any]) -> None:
    from trame_slicer.utils import vtk_image_to_np

    state, editor = app.server.state, app.core.segmentation_editor
    app.editing.begin_lesion("LN")
    seen["tool"] = [state.tool, state.draw_label]

    def stroke(j: int) -> None:
        modifier = editor.active_segment_modifier
        labels = modifier.create_modifier_labelmap()
        vtk_image_to_np(labels)[4:6, j : j + 4, 10:16] = 1
        modifier.apply_labelmap(labels)
        app.scene.process_pending()
        app.editing.refresh()

    def voxels() -> list[int]:
        return [lesion.voxels for lesion in app.session.lesions(Visit.MID)]

    stroke(8)
    seen["drawn"] = [voxels(), [lesion.name for lesion in app.session.lesions(Visit.MID)], state.selected]
    stroke(12)
    seen["drawn more"] = voxels()
    app.undo()
    seen["undone"] = [voxels(), state.undo_voxels, state.redo_voxels]
    app.redo()
    seen["redone"] = voxels()
    app.stop()
    seen["put away"] = [state.tool, editor.get_active_effect_name().rsplit(".", 1)[-1]]


if __name__ == "__main__":
    result = asyncio.run(main(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
