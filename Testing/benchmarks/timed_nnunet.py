"""Run `nnUNetv2_predict` and note how long its sliding window took: ``python timed_nnunet.py FILE ARGUMENTS``.

It measures and changes nothing else. What is timed are the same steps that our stage ``network`` holds: cutting tiles,
the network, adding up. It is the target of a spawned process too, so nothing may happen at its import.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def run(times: Path) -> None:
    """Wrap the sliding window with a clock, then do as the command does."""
    from nnunetv2.inference import predict_from_raw_data as command

    seconds: list[float] = []
    whole = command.nnUNetPredictor.predict_sliding_window_return_logits

    def timed(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        result = whole(*arguments, **options)
        seconds.append(time.perf_counter() - begin)
        return result

    command.nnUNetPredictor.predict_sliding_window_return_logits = timed
    command.predict_entry_point()
    times.write_text(json.dumps(seconds))


if __name__ == "__main__":
    # The folder of this file is no place for nnU-Net to look for modules.
    sys.path.pop(0)
    run(Path(sys.argv.pop(1)))
