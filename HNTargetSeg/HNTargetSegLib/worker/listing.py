"""The models of a machine as plain values, and why others cannot be used."""

from __future__ import annotations

from typing import Any


def models_listing() -> dict[str, Any]:
    """All models of the store.

    Returns
    -------
    dict
        ``models``: a list of objects with ``name``, ``version``, ``recipe``, ``folder``, ``digest``, ``shipped``,
        ``default`` and the whole ``card``. ``unreadable``: a list of objects with ``message``, ``path`` and ``remedy``
        for folders that look like models.
    """
    from HNTargetSegLib.errors import ModelError
    from HNTargetSegLib.models.card import card_to_dict
    from HNTargetSegLib.models.store import ModelStore

    store = ModelStore.default_store()
    try:
        default = store.default().folder
    except ModelError:
        default = None
    models = [
        {
            "name": model.card.name,
            "version": model.card.version,
            "recipe": model.card.recipe.value,
            "folder": str(model.folder),
            "digest": model.digest,
            "shipped": store.is_shipped(model),
            "default": model.folder == default,
            "card": card_to_dict(model.card),
        }
        for model in store.list()
    ]
    unreadable = [{"message": error.what, "path": error.path, "remedy": error.remedy} for error in store.unreadable()]
    return {"models": models, "unreadable": unreadable}
