"""When the page gets wheel events and when it shows new pictures, recorded in the page itself."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

# A copy of each picture is kept small, unread until asked for: reading it back at once would slow the page down.
RECORDER = """
(() => {
  const record = { wheels: [], frames: [] };
  window.frameRecord = record;
  document.addEventListener("wheel", () => record.wheels.push(performance.now()), { capture: true, passive: true });
  const note = (image, at) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 96;
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0, 96, 96);
    const box = image.getBoundingClientRect();
    record.frames.push({ at, canvas, x: box.x, y: box.y, w: box.width, h: box.height });
  };
  document.addEventListener("load", (event) => {
    if (event.target.tagName === "IMG" && event.target.src.startsWith("blob:")) note(event.target, performance.now());
  }, true);
  window.framesAt = (x, y) => record.frames
    .filter((f) => f.x <= x && x <= f.x + f.w && f.y <= y && y <= f.y + f.h)
    .map((f) => {
      if (!f.grey) {
        const data = f.canvas.getContext("2d").getImageData(0, 0, 96, 96).data;
        f.grey = [];
        for (let i = 0; i < data.length; i += 4) f.grey.push(data[i] + data[i + 1] + data[i + 2]);
      }
      return { at: f.at, grey: f.grey };
    });
  window.clearFrames = () => { record.wheels.length = 0; record.frames.length = 0; };
})();
"""

# Mean difference in grey levels: 0.6 between one slice in two JPEG qualities, 1.5 and more between two slices.
_SAME = 1.0


@dataclass(frozen=True)
class Burst:
    """Answers of the page to many wheel steps.

    Attributes
    ----------
    to_slice, to_final
        Milliseconds from the last step to the first picture of the last slice, and to the last picture at all.
    pictures
        Pictures that were shown from the first step on.
    took
        Milliseconds from the first to the last step, as the page got them.
    """

    to_slice: float
    to_final: float
    pictures: int
    took: float


@dataclass(frozen=True)
class Step:
    """Answer of the page to one wheel step: milliseconds to the first picture and to the last."""

    to_first: float
    to_final: float


def wheel_steps(page: Any, x: float, y: float, direction: int, count: int, pause: float = 0.9) -> list[Step]:
    """Turn the wheel by one step ``count`` times, waiting each time; steps without an answer are left out.

    The first half goes in ``direction`` (1 or -1), the second comes back.
    """
    page.mouse.move(x, y)
    time.sleep(pause)
    found = []
    for number in range(count):
        page.evaluate("clearFrames()")
        page.mouse.wheel(0, 120 * direction * (1 if number < count / 2 else -1))
        time.sleep(pause)
        record = _record(page, x, y)
        begin = record["wheels"][0]
        times = [frame["at"] - begin for frame in record["frames"] if frame["at"] >= begin]
        if times:
            found.append(Step(times[0], times[-1]))
    return found


def wheel_burst(page: Any, x: float, y: float, direction: int, steps: int = 30, seconds: float = 2.0) -> Burst:
    """Turn the wheel ``steps`` times in ``seconds``, and time what follows.

    Parameters
    ----------
    direction
        1 or -1; the slices must not end on the way.

    Raises
    ------
    RuntimeError
        If no picture came.
    """
    page.mouse.move(x, y)
    time.sleep(1.0)
    page.evaluate("clearFrames()")
    begin = time.perf_counter()
    for number in range(steps):
        time.sleep(max(0.0, begin + number * seconds / steps - time.perf_counter()))
        page.mouse.wheel(0, 120 * direction)
    time.sleep(2.5)
    record = _record(page, x, y)
    wheels, frames = record["wheels"], record["frames"]
    shown = [frame for frame in frames if frame["at"] >= wheels[0]]
    if not shown:
        raise RuntimeError("No picture came")
    final = shown[-1]["grey"]
    same = [frame["at"] for frame in shown if _difference(frame["grey"], final) < _SAME]
    return Burst(
        to_slice=max(0.0, same[0] - wheels[-1]),
        to_final=max(0.0, shown[-1]["at"] - wheels[-1]),
        pictures=len(shown),
        took=wheels[-1] - wheels[0],
    )


def _record(page: Any, x: float, y: float) -> dict[str, Any]:
    return page.evaluate("([x, y]) => ({ wheels: frameRecord.wheels, frames: framesAt(x, y) })", [x, y])


def _difference(one: list[int], other: list[int]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one) / 3
