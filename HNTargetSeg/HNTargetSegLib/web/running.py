"""Segmentation from the page: which model, where, for which visits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from HNTargetSegLib.case.patient import Visit
from HNTargetSegLib.errors import TargetSegError
from HNTargetSegLib.models.options import PredictOptions
from HNTargetSegLib.web.desk import Desk, told


class Running:
    """The Segment card."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        settings = desk.settings()
        desk.state.update({"device": settings.device, "mode": settings.mode})
        self._wanted = settings.model
        desk.state.change("model")(lambda **_: self._show_card())

    @told
    async def list_models(self) -> None:
        """Read the models anew."""
        models, default, broken = await asyncio.to_thread(_models)
        state = self.desk.state
        state.models = models
        names = [model["value"] for model in models]
        if state.model not in names:
            chosen = self._wanted if self._wanted in names else default
            if state.model:
                self.desk.session.say(_warning(), f"The model {state.model} is gone.", f"{chosen} is used instead.")
            state.model = chosen
        for error in broken:
            self.desk.session.tell_user(error)
        self._show_card()
        state.flush()

    @told
    async def start(self) -> None:
        """Segment."""
        state, session = self.desk.state, self.desk.session
        await self.list_models()
        visits = None if state.run_visits == "both" else [Visit(state.run_visits)]
        if visits is not None:
            visits = [visit for visit in visits if session.require(visit)]
        self.desk.segmenting.start(
            visits,
            model=state.model or None,
            predict=PredictOptions(device=state.device, mode=state.mode),
            register=bool(state.register_first),
        )
        self.desk.keep_settings(replace(self.desk.settings(), model=state.model, device=state.device, mode=state.mode))

    @told
    def cancel(self) -> None:
        """Stop at the next tile."""
        self.desk.segmenting.cancel()

    def _show_card(self) -> None:
        state = self.desk.state
        state.model_card = next((model["card"] for model in state.models if model["value"] == state.model), "")


def _models() -> tuple[list[dict[str, Any]], str, tuple[TargetSegError, ...]]:
    from HNTargetSegLib.models.card_text import card_text
    from HNTargetSegLib.models.store import ModelStore

    store = ModelStore.default_store()
    models = [
        {
            "value": stored.card.name,
            "title": stored.card.name,
            "summary": str(stored.card.basics.get("summary", "")),
            "limits": list(stored.card.limits),
            "card": card_text(stored.card, 88),
        }
        for stored in store.list()
    ]
    return models, store.default().card.name if models else "", store.unreadable()


def _warning() -> Any:
    from HNTargetSegLib.review.change import Level

    return Level.WARNING
