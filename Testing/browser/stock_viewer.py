"""trame-slicer's own viewer, started as it is, as the peer of the benchmark: prints its link as the review does."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Serve until interrupted."""
    if sys.argv[1] == "segmentation":
        from trame_slicer.app.segmentation_app import SegmentationApp as Viewer
    else:
        from trame_slicer.app.medical_viewer_app import MedicalViewerApp as Viewer
    sys.argv = sys.argv[:1]
    viewer = Viewer()
    server = viewer.server

    @server.controller.add("on_server_ready")
    def announce(**_: object) -> None:
        print(json.dumps({"url": f"http://127.0.0.1:{server.port}/", "port": server.port}), flush=True)

    server.start(port=0, host="127.0.0.1", open_browser=False, show_connection_info=False, timeout=0)


if __name__ == "__main__":
    main()
