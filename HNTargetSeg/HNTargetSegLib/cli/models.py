"""`hntargetseg models`: list, show, install, verify and remove models."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from HNTargetSegLib.errors import BadInputError

if TYPE_CHECKING:
    from HNTargetSegLib.models.catalogue import CatalogueEntry
    from HNTargetSegLib.models.store import InstallOptions, ModelStore
    from HNTargetSegLib.models.stored import StoredModel


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command group."""
    group = subparsers.add_parser(
        "models",
        help="list, show, install, verify and remove models",
        description="The models of this machine. Installed ones lie in HNTARGETSEG_MODELS or the user's data folder.",
        epilog="example:\n  hntargetseg models list",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = group.add_subparsers(dest="models_command", required=True, metavar="COMMAND")
    command = _command(
        commands, "list", "models that are here, and public ones that are not", "hntargetseg models list --json"
    )
    command.set_defaults(run=run_list)
    command = _command(commands, "show", "the card of a model", "hntargetseg models show phantom-baseline")
    command.add_argument("name", help="name of an installed model or of the catalogue")
    command.set_defaults(run=run_show)
    _add_install(commands)
    command = _command(
        commands, "verify", "compare every file with the card", "hntargetseg models verify phantom-baseline"
    )
    command.add_argument("name", nargs="?", help="name of a model; all when left out")
    command.set_defaults(run=run_verify)
    command = _command(commands, "remove", "delete an installed model", "hntargetseg models remove my-model")
    command.add_argument("name", help="name of an installed model")
    command.set_defaults(run=run_remove)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, example: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def _add_install(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from HNTargetSegLib.models.recipe import Recipe
    from HNTargetSegLib.models.results import CHECKPOINT

    example = "hntargetseg models install Dataset504_midRT/nnUNetTrainer__nnUNetPlans__3d_fullres --recipe t2+gradient"
    command = _command(commands, "install", "install a model from a folder, zip, URL or the catalogue", example)
    command.add_argument(
        "source", help="nnU-Net results folder, stored model, zip of either, URL of a zip, or a name of the catalogue"
    )
    command.add_argument("--name", help="name in the store; the data set's or the card's by default")
    command.add_argument(
        "--recipe", choices=[recipe.value for recipe in Recipe], help="what the channels are, where they do not say"
    )
    command.add_argument("--sha256", help="hash that the zip must have; needed for a URL")
    command.add_argument(
        "--half", action="store_true", help="store fp16: half the size, about 1e-4 of the voxels change"
    )
    command.add_argument("--part", help="which model, when the source holds several: the name of its folder")
    command.add_argument("--folds", help="which folds, such as 0,1,2 or all; by default all that are there")
    command.add_argument("--checkpoint", default=CHECKPOINT, help=f"checkpoint of each fold (default {CHECKPOINT})")
    command.add_argument(
        "--catalogue", metavar="NAME", help="the source is this model of the catalogue, downloaded by hand"
    )
    command.add_argument("--accept-licence", action="store_true", help="answer the catalogue's question with yes")
    command.add_argument("--replace", action="store_true", help="replace an installed model of that name")
    command.set_defaults(run=run_install)


def run_list(options: argparse.Namespace) -> int:
    """Print the models, those that cannot be used, and the catalogue."""
    from HNTargetSegLib.models.catalogue import read_catalogue

    store = _store()
    models = store.list()
    default = store.default().card.name if models else None
    rows = [{**_summary(store, model), "default": model.card.name == default} for model in models]
    broken = store.unreadable()
    entries = read_catalogue().values()
    if options.json:
        listed = [
            {"name": entry.name, "title": entry.title, "page": entry.page, "licence": entry.licence}
            for entry in entries
        ]
        print(
            json.dumps({"models": rows, "unreadable": [str(error) for error in broken], "catalogue": listed}, indent=2)
        )
        return 0
    for row in rows:
        mark = "*" if row["default"] else " "
        print(f"{mark} {row['name']:24} {row['version']:10} {row['recipe']:34} {row['where']}, {row['licence']}")
    print("(* is used when no model is named)" if rows else "No model is installed.")
    for error in broken:
        print(f"cannot be used: {error}", file=sys.stderr)
    print("\nPublic weights that can be installed (not tested here):")
    for entry in entries:
        print(f"  {entry.name:24} {entry.title}")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Print a card, or an entry of the catalogue."""
    from HNTargetSegLib.models.card import card_to_dict
    from HNTargetSegLib.models.card_text import card_text
    from HNTargetSegLib.models.catalogue import read_catalogue

    store = _store()
    entry = read_catalogue().get(options.name)
    if entry is not None and options.name not in {model.card.name for model in store.list()}:
        fields = {"name": entry.name, "title": entry.title, "page": entry.page, "recipe": entry.recipe.value}
        fields |= {"licence": entry.licence, "statement": entry.statement, "how": entry.instructions()}
        print(
            json.dumps(fields, indent=2)
            if options.json
            else "\n".join(f"{key}: {text}" for key, text in fields.items())
        )
        return 0
    card = store.get(options.name).card
    print(
        json.dumps(card_to_dict(card), indent=2) if options.json else card_text(card), end="\n" if options.json else ""
    )
    return 0


def run_install(options: argparse.Namespace) -> int:
    """Install a model; says where it lies and what its card leaves open."""
    from HNTargetSegLib.models.catalogue import read_catalogue

    catalogue = read_catalogue()
    chosen = _install_options(options)
    source = options.source
    if options.catalogue is not None and options.catalogue not in catalogue:
        raise BadInputError(f"The catalogue has no '{options.catalogue}'", remedy=f"It has {', '.join(catalogue)}")
    entry = catalogue.get(options.catalogue or source)
    if entry is not None:
        _ask(entry, options)
        chosen = _with_entry(chosen, entry)
        if options.catalogue is None:
            source, chosen = _automatic_source(entry, chosen)
    store = _store()
    progress = _show_progress if sys.stderr.isatty() and not options.json else None
    model = store.install(source, chosen, progress)
    if options.json:
        print(json.dumps(_summary(store, model), indent=2))
        return 0
    print(f"Installed the model {model.card.name} ({model.card.recipe}) in {model.folder}")
    for limit in model.card.limits:
        print(f"  note: {limit}")
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Compare files with cards; the first model that differs is an error, after all were looked at."""
    from HNTargetSegLib.errors import TargetSegError

    store = _store()
    names = [options.name] if options.name else [model.card.name for model in store.list()]
    failures: list[TargetSegError] = [] if options.name else list(store.unreadable())
    for name in names:
        try:
            store.verify(name)
        except TargetSegError as error:
            failures.append(error)
    if failures:
        if not options.json:
            for failure in failures[1:]:
                print(failure, file=sys.stderr)
        raise failures[0]
    print(
        json.dumps({"verified": names}) if options.json else f"Unchanged: {', '.join(names) or 'no model is installed'}"
    )
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """Delete an installed model."""
    folder = _store().remove(options.name)
    print(json.dumps({"removed": options.name, "folder": str(folder)}) if options.json else f"Removed {folder}")
    return 0


def _store() -> ModelStore:
    from HNTargetSegLib.models.store import ModelStore

    return ModelStore()


def _summary(store: ModelStore, model: StoredModel) -> dict[str, Any]:
    card = model.card
    return {
        "name": card.name,
        "version": card.version,
        "recipe": card.recipe.value,
        "where": "shipped" if store.is_shipped(model) else "installed",
        "folder": str(model.folder),
        "configuration": model.configuration,
        "folds": list(model.folds),
        "labels": model.labels,
        "storage": card.storage,
        "licence": card.licence,
        "digest": model.digest,
    }


def _install_options(options: argparse.Namespace) -> InstallOptions:
    from HNTargetSegLib.cli.predict_arguments import folds_from
    from HNTargetSegLib.models.recipe import recipe_from
    from HNTargetSegLib.models.results import FoldChoice
    from HNTargetSegLib.models.store import InstallOptions

    folds = folds_from([options.folds]) if options.folds else ()
    return InstallOptions(
        name=options.name,
        recipe=recipe_from(options.recipe) if options.recipe else None,
        sha256=options.sha256,
        half=options.half,
        part=options.part,
        folds=FoldChoice(folds, options.checkpoint),
        replace=options.replace,
    )


def _with_entry(chosen: InstallOptions, entry: CatalogueEntry) -> InstallOptions:
    return replace(
        chosen,
        name=chosen.name or entry.name,
        recipe=chosen.recipe or entry.recipe,
        licence=entry.licence,
        notes=(entry.statement,),
        origin=entry.page,
    )


def _ask(entry: CatalogueEntry, options: argparse.Namespace) -> None:
    if options.accept_licence:
        return
    if options.json or not sys.stdin.isatty():
        raise BadInputError(entry.question, remedy="Answer yes with --accept-licence")
    if input(f"{entry.question} [yes/no] ").strip().lower() not in ("y", "yes"):
        raise BadInputError("The terms were not accepted, nothing was installed", remedy="Answer yes to install")


def _automatic_source(entry: CatalogueEntry, chosen: InstallOptions) -> tuple[str, InstallOptions]:
    if not entry.automatic:
        raise BadInputError(
            f"The authors of '{entry.name}' publish no single file with a SHA-256: a download could not be verified",
            remedy=f"Download it yourself: {entry.instructions()}",
        )
    assert entry.file is not None, "automatic says so"
    return entry.file, replace(chosen, sha256=entry.sha256)


def _show_progress(done: int, total: int | None) -> None:
    share = f"{done / total:4.0%} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
    print(f"\rDownloading {share}", end="\n" if done == total else "", file=sys.stderr, flush=True)
