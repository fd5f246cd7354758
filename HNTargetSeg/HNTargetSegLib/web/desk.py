"""What the page's actions work on, and how an error becomes a message."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from HNTargetSegLib.errors import OutOfMemoryError, TargetSegError
from HNTargetSegLib.review.segmenting import Segmenting
from HNTargetSegLib.review.session import ReviewSession
from HNTargetSegLib.review.settings import Settings, load_settings, save_settings

if TYPE_CHECKING:
    from HNTargetSegLib.scene.review_scene import ReviewScene
    from HNTargetSegLib.web.views import PageViewFactory

Action = TypeVar("Action", bound=Callable[..., Any])
Result = TypeVar("Result")


@dataclass
class Desk:
    """One review with all that the page needs.

    Attributes
    ----------
    server, state
        trame's; ``state`` has the variables of :class:`HNTargetSegLib.web.state.PageState`.
    session, segmenting, scene
        The review, the same as on the desktop.
    core
        trame-slicer's ``SlicerApp``.
    views
        The views of the page.
    """

    server: Any
    session: ReviewSession
    segmenting: Segmenting
    core: Any
    scene: ReviewScene
    views: PageViewFactory

    @property
    def state(self) -> Any:
        """Trame's state."""
        return self.server.state

    def settings(self) -> Settings:
        """The user's settings; the defaults, with a message, where they cannot be read."""
        try:
            return load_settings()
        except TargetSegError as error:
            self.session.tell_user(error)
            return Settings()

    def keep_settings(self, settings: Settings) -> None:
        """Write the settings; a message where that fails."""
        try:
            save_settings(settings)
        except TargetSegError as error:
            self.session.tell_user(error)

    async def wait(self, text: str, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do work in a thread while the page says what it is waiting for; nothing else can be pressed meanwhile."""
        self.state.busy = text
        self.state.flush()
        try:
            return await asyncio.to_thread(work, *arguments)
        finally:
            self.state.busy = ""
            self.state.flush()

    def report(self, error: Exception) -> None:
        """Tell the user of an error, of any kind."""
        self.session.tell_user(as_user_error(error))


def as_user_error(error: Exception) -> TargetSegError:
    """An error that a user can read."""
    if isinstance(error, TargetSegError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemoryError("The memory of this machine does not suffice", remedy="Close other programs")
    return TargetSegError(
        f"An unexpected error of kind {type(error).__name__}: {error}",
        remedy="Save your work by an export, and report it with the messages' text",
    )


def told(action: Action) -> Action:
    """An action of an object with a ``desk`` whose errors become messages; nothing is raised into the page."""
    if inspect.iscoroutinefunction(action):

        @functools.wraps(action)
        async def waiting(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return await action(self, *args, **kwargs)
            except Exception as error:
                self.desk.report(error)
                return None

        return waiting  # type: ignore[return-value]

    @functools.wraps(action)
    def direct(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return action(self, *args, **kwargs)
        except Exception as error:
            self.desk.report(error)
            return None

    return direct  # type: ignore[return-value]
