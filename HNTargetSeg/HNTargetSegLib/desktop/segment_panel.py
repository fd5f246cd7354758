"""Running a model: which visits, which model and how, and how far it is."""

from __future__ import annotations

from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.desktop.desk import ReviewDesk
from HNTargetSegLib.desktop.prior_panel import PriorPanel
from HNTargetSegLib.desktop.qt_values import value_of
from HNTargetSegLib.desktop.texts import tr as _
from HNTargetSegLib.desktop.ui_files import load_ui
from HNTargetSegLib.errors import BadInputError, ModelError
from HNTargetSegLib.models.card_text import card_text
from HNTargetSegLib.models.options import Device, Mode, PredictOptions
from HNTargetSegLib.models.store import ModelStore
from HNTargetSegLib.models.stored import StoredModel
from HNTargetSegLib.review.change import Change, Part
from HNTargetSegLib.review.segmenting import REGISTER, RunState

DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda", "mps")
MODES: tuple[Mode, ...] = ("exact", "fast")
CARD_WIDTH = 72


class SegmentPanel:
    """Starts runs, shows their progress and stops them.

    Parameters
    ----------
    desk
        The review.
    """

    def __init__(self, desk: ReviewDesk) -> None:
        self.widget, self._ui = load_ui("Segment")
        self._desk = desk
        self._models: tuple[StoredModel, ...] = ()
        self._prior = PriorPanel(desk)
        ui = self._ui
        place = ui.priorPlace
        place.layout().addWidget(self._prior.widget)
        ui.deviceCombo.addItems([_("Automatic"), _("CPU"), _("CUDA (NVIDIA GPU)"), _("MPS (Apple GPU)")])
        ui.modeCombo.addItems([_("Exact: float32"), _("Fast: reduced precision, see the card")])
        ui.deviceCombo.setCurrentIndex(_index(DEVICES, desk.settings.device))
        ui.modeCombo.setCurrentIndex(_index(MODES, desk.settings.mode))
        self.refresh_models()
        ui.segmentButton.clicked.connect(self._on_segment)
        ui.cancelButton.clicked.connect(self._on_cancel)
        ui.cardButton.clicked.connect(self._on_card)
        ui.modelCombo.currentIndexChanged.connect(self._on_model)
        self._disconnect = desk.session.changed.connect(self._on_change)
        self._refresh_visits()
        self._refresh_run()

    def close(self) -> None:
        """Stop listening."""
        self._prior.close()
        self._disconnect()

    def set_scene(self, scene: Any) -> None:
        """Offer the transforms of a scene."""
        self._prior.set_scene(scene)

    def refresh_models(self) -> None:
        """List the models that can be used now; the one that was chosen stays chosen while it is there."""
        chosen = self._chosen_model() or self._desk.settings.model
        store = ModelStore.default_store()
        self._models = store.list()
        combo = self._ui.modelCombo
        combo.blockSignals(True)
        combo.clear()
        names = [model.card.name for model in self._models]
        combo.addItems(names)
        if self._models:
            combo.setCurrentIndex(names.index(chosen if chosen in names else store.default().card.name))
        combo.blockSignals(False)
        self._show_model()

    def _chosen(self) -> StoredModel | None:
        index = int(value_of(self._ui.modelCombo, "currentIndex"))
        return self._models[index] if 0 <= index < len(self._models) else None

    def _chosen_model(self) -> str:
        model = self._chosen()
        return "" if model is None else model.card.name

    def _on_model(self) -> None:
        self._show_model()

    def _on_card(self) -> None:
        self._ui.cardText.setVisible(bool(value_of(self._ui.cardButton, "checked")))

    def _show_model(self) -> None:
        model = self._chosen()
        ui = self._ui
        ui.cardButton.setEnabled(model is not None)
        if model is None:
            ui.modelSummary.setText(_("No model is installed. Add one in Settings."))
            ui.cardText.setPlainText("")
            return
        limits = model.card.limits[:1]
        ui.modelSummary.setText("\n".join((str(model.card.basics["summary"]), *limits)))
        ui.cardText.setPlainText(card_text(model.card, width=CARD_WIDTH))

    def _on_segment(self) -> None:
        import slicer

        device = DEVICES[int(value_of(self._ui.deviceCombo, "currentIndex"))]
        mode = MODES[int(value_of(self._ui.modeCombo, "currentIndex"))]
        model = self._chosen_model()
        visits = [visit for visit, box in self._boxes() if value_of(box, "enabled") and value_of(box, "checked")]
        with self._desk.telling(), slicer.util.WaitCursor():
            if not visits:
                raise BadInputError("No visit is ticked", remedy="Tick the visits that shall be segmented")
            try:
                options = PredictOptions(device=device, mode=mode)
                register = self._prior.registers_first
                self._desk.segment(visits, model=model or None, predict=options, register=register)
            except ModelError:
                self.refresh_models()
                raise
            self._desk.change_settings(device=device, mode=mode, model=model)

    def _on_cancel(self) -> None:
        self._desk.segmenting.cancel()

    def _on_change(self, change: Change) -> None:
        if change.part is Part.RUN:
            self._refresh_run()
        elif change.part is Part.CASE:
            self._refresh_visits()
            self._refresh_run()

    def _boxes(self) -> tuple[tuple[Visit, Any], ...]:
        return (Visit.PRE, self._ui.preCheck), (Visit.MID, self._ui.midCheck)

    def _refresh_visits(self) -> None:
        visits = self._desk.session.visits
        for visit, box in self._boxes():
            box.setEnabled(visit in visits)
            # A visit that came with its delineation is not segmented again unless the user says so.
            box.setChecked(visit in visits and visits[visit].lesions is None)

    def _refresh_run(self) -> None:
        state, ui = self._desk.segmenting.state, self._ui
        is_open = self._desk.session.case is not None
        ui.segmentButton.setEnabled(is_open and not self._desk.segmenting.busy)
        ui.segmentButton.setToolTip("" if is_open else _("Open a patient first"))
        ui.cancelButton.setEnabled(state.running and not state.cancelling)
        ui.progressBar.setVisible(state.running)
        fraction = state.fraction
        # An empty range makes the bar go to and fro.
        ui.progressBar.setMaximum(0 if state.running and fraction is None else 1000)
        ui.progressBar.setValue(round(1000 * (fraction or 0)))
        ui.progressLabel.setText(run_text(state))


def run_text(state: RunState) -> str:
    """What a run is doing, in words; empty when none is at work."""
    if not state.running:
        return ""
    if state.cancelling:
        return _("Cancelling...")
    if state.stage == REGISTER:
        return _("Registering the visits: {percent} %").format(percent=state.done)
    if state.visit is None:
        return _("Loading the model...") if state.stage else _("Starting...")
    stages = {
        "preprocess": _("preparing the image"),
        "network": _("network"),
        "labels": _("labels"),
        "lesions": _("measuring lesions"),
    }
    what = f"{state.visit.title}: {stages.get(state.stage, state.stage)}"
    if state.stage == "network" and state.total:
        return what + ", " + _("tile {done} of {total}").format(done=state.done, total=state.total)
    return what


def _index(values: tuple[str, ...], value: str) -> int:
    return values.index(value) if value in values else 0
