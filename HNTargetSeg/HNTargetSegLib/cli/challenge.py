"""`hntargetseg challenge`: one patient in the folders of the HNTS-MRG 2024 challenge's container."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from HNTargetSegLib.cli.output import output_folder
from HNTargetSegLib.cli.predict_arguments import add_predict_arguments, load_chosen_model, predict_options

if TYPE_CHECKING:
    from HNTargetSegLib.case.challenge import ChallengeFiles
    from HNTargetSegLib.case.volume import Volume
    from HNTargetSegLib.models.channels import VisitPrior

_EXAMPLE = """example:
  hntargetseg challenge --input /input --output /output

Read are /input/images/<name>/*.mha, exactly one file each: for task 1 pre-rt-t2w-head-neck; for task 2
mid-rt-t2w-head-neck, pre-rt-t2w-head-neck, pre-rt-head-neck-segmentation, registered-pre-rt-head-neck and
registered-pre-rt-head-neck-segmentation. Written is /output/images/mri-head-neck-segmentation/output.mha
(uint8, 0 background, 1 GTVp, 2 GTVn, on the grid of the task's image). A model whose recipe is t2 reads the image
alone, in task 2 too."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "challenge",
        help="segment one patient in the folders of the HNTS-MRG 2024 container",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--input", type=Path, default=Path("/input"), metavar="DIR", help="default: /input")
    parser.add_argument("--output", type=Path, default=Path("/output"), metavar="DIR", help="default: /output")
    parser.add_argument("--task", type=int, choices=(1, 2), help="default: 2 where there is a mid-RT image, else 1")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_predict_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Segment the task's image and write the answer."""
    from HNTargetSegLib.case.challenge import ANSWER, Task, find_challenge_files
    from HNTargetSegLib.case.read import read_volume
    from HNTargetSegLib.case.write import write_volume
    from HNTargetSegLib.pipeline import segment_visit

    started = time.perf_counter()
    predict_options(options)
    files = find_challenge_files(options.input, None if options.task is None else Task(options.task))
    with output_folder(options.output) as output:
        image = read_volume(files.image)
        prior = read_prior(files, image)
        model = load_chosen_model(options)
        result = segment_visit(image, model, prior=prior)
        write_volume(result.lesions.label_map(), output / ANSWER)
    recipe = model.stored.card.recipe
    record = {
        "task": int(files.task),
        "output": str(output / ANSWER),
        "model": model.stored.card.name,
        "recipe": str(recipe),
        "lesions": len(result.lesions.present),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(record) if options.json else _line(record, reads_prior=recipe.needs_prior))
    return 0


def read_prior(files: ChallengeFiles, image: Volume) -> VisitPrior | None:
    """The registered pre-RT visit of task 2, None in task 1.

    Raises
    ------
    GeometryError
        If a file lies on another grid than the image.
    """
    from HNTargetSegLib.case.read import read_mask, read_volume
    from HNTargetSegLib.models.channels import VisitPrior

    if files.registered_mask is None or files.registered_pre is None:
        return None
    registered = read_volume(files.registered_pre)
    image.require_same_grid(registered)
    return VisitPrior(read_mask(files.registered_mask, like=image), registered)


def _line(record: dict[str, object], *, reads_prior: bool) -> str:
    alone = "" if reads_prior or record["task"] == 1 else "; the model reads the mid-RT image alone"
    return (
        f"Task {record['task']}: {record['lesions']} lesions by {record['model']} ({record['recipe']}) in "
        f"{record['seconds']} s{alone}\nFile: {record['output']}"
    )
