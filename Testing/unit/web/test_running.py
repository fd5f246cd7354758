"""The Segment card."""

from __future__ import annotations

import asyncio

import pytest
from Testing.unit.web.conftest import said

from HNTargetSegLib.models.store import ModelStore
from HNTargetSegLib.review.settings import load_settings
from HNTargetSegLib.web.running import Running
from HNTargetSegLib.web.sync import PageSync


@pytest.fixture
def running(open_desk):
    PageSync(open_desk).all()
    return Running(open_desk)


def test_the_models_of_the_store_are_listed_with_their_cards(running, open_desk):
    asyncio.run(running.list_models())
    state = open_desk.state
    default = ModelStore.default_store().default().card
    assert state.model == default.name
    assert default.name in [model["value"] for model in state.models]
    assert str(default.basics["summary"])[:30] in state.model_card


def test_a_model_that_is_gone_is_said_and_another_one_taken(running, open_desk):
    open_desk.state.model = "one that was removed"
    asyncio.run(running.list_models())
    assert open_desk.state.model == ModelStore.default_store().default().card.name
    assert "The model one that was removed is gone." in said(open_desk)[-1]


def test_a_run_asks_for_what_the_card_says_and_the_choice_is_kept(running, open_desk, worker):
    open_desk.state.update({"run_visits": "mid", "device": "cpu", "mode": "fast"})
    asyncio.run(running.start())
    (request,) = worker.requests
    assert [asked.visit for asked in request.visits] == ["mid"]
    assert (request.predict.device, request.predict.mode) == ("cpu", "fast")
    assert open_desk.state.run["running"]
    assert (load_settings().device, load_settings().mode) == ("cpu", "fast")


def test_a_second_run_waits_for_the_first(running, open_desk, worker):
    asyncio.run(running.start())
    asyncio.run(running.start())
    assert len(worker.requests) == 1
    assert said(open_desk) == ["A segmentation is running. Wait for it or cancel it."]


def test_cancelling_is_shown_at_once(running, open_desk):
    asyncio.run(running.start())
    running.cancel()
    assert open_desk.state.run["cancelling"]
    assert open_desk.state.run["text"] == "Stopping"
