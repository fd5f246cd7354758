"""One tab at a time: all tabs share one scene and one size of each view, so the newest has them to itself."""

from __future__ import annotations

import asyncio
from typing import Any

from HNTargetSegLib.web.access_pages import DISCONNECTED, ELSEWHERE_KEY

# Time for the notice to reach the earlier tab before its connection ends.
_NOTICE_SECONDS = 0.2


def one_tab_at_a_time(server: Any) -> None:
    """Let the newest tab have the review; an earlier one is told, and can take it back.

    Parameters
    ----------
    server
        The trame server, before it starts.
    """
    from wslink.websocket import LinkProtocol

    class Tabs(LinkProtocol):
        """wslink calls it for each connection that is made and that ends."""

        def __init__(self) -> None:
            super().__init__()
            self._open: dict[str, Any] = {}

        def onConnect(self, request: Any, client_id: str) -> None:  # noqa: N802
            for earlier, its_request in self._open.items():
                self.publish("trame.state.topic", {ELSEWHERE_KEY: True}, client_id=earlier)
                asyncio.get_running_loop().call_later(_NOTICE_SECONDS, _hang_up, its_request)
            self._open = {client_id: request}

        def onClose(self, client_id: str) -> None:  # noqa: N802
            self._open.pop(client_id, None)

    server.state[ELSEWHERE_KEY] = False
    # What a tab alone knows: the others are not told.
    server.state.trame__client_only += [ELSEWHERE_KEY]
    server.state["trame__template_error"] = DISCONNECTED
    server.add_protocol_to_configure(lambda protocol: protocol.registerLinkProtocol(Tabs()))


def _hang_up(request: Any) -> None:
    if request.transport is not None:
        request.transport.close()
