"""What the page shows, as plain values: one dataclass whose fields are trame's state variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class PageState:
    """Every variable of the page with its value before anything happened.

    The server's copy counts: a page that is loaded again finds all as it was.

    Attributes
    ----------
    screen
        ``start`` or ``review``.
    busy
        What the page is waiting for; empty when it is not.
    visits, active
        Tabs of :func:`HNTargetSegLib.web.shown.visit_tabs`, and which is active.
    layout, orientation, tiles
        What is on screen; names of views in the order of reading.
    rows, sort_key, sort_descending, selected
        The lesion table.
    renaming, new_name
        Lesion whose name is being changed, 0 for none.
    undo, redo
        What would be taken back or done again; empty where there is nothing.
    run
        Of :func:`HNTargetSegLib.web.shown.run_view`.
    models, model, device, mode, run_visits
        What to segment with, and which visits.
    prior, prior_preview, prior_file, register_first
        Of :func:`HNTargetSegLib.web.registering.prior_view`; whether carried outlines are shown; a file to take; and
        whether a run registers first.
    tool, draw_label, brush_mm, undo_voxels, redo_voxels
        Correction by hand.
    window_preset, drawing, opacity, thickness
        How images and segments are drawn; ``drawing`` is ``outline``, ``fill`` or ``both``.
    messages, unread, notice, notice_shown
        What was said, newest first; and the last of it.
    dialog
        Name of the dialog that is open; empty for none.
    questions
        What must be answered before the patient is opened.
    saved_reviews, saved
        Reviews on disk that the first screen offers, and the one of the patient who is being opened; items of
        :func:`HNTargetSegLib.web.saving.saved_item`.
    """

    screen: str = "start"
    busy: str = ""
    dark: bool = True
    panel: str = "segment"
    # The patient
    patient: str = ""
    visits: list[dict[str, Any]] = field(default_factory=list)
    active: str = "mid"
    # The views
    layout: str = "compare"
    orientation: str = "Axial"
    tiles: list[str] = field(default_factory=list)
    views: dict[str, Any] = field(default_factory=dict)
    # The lesions
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    sort_key: str = "name"
    sort_descending: bool = False
    selected: int = 0
    current: dict[str, Any] = field(default_factory=dict)
    renaming: int = 0
    new_name: str = ""
    fates: list[dict[str, str]] = field(default_factory=list)
    undo: str = ""
    redo: str = ""
    # Segmentation
    run: dict[str, Any] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    model: str = ""
    model_card: str = ""
    device: str = "auto"
    mode: str = "exact"
    run_visits: str = "both"
    # The visit before
    prior: dict[str, Any] = field(default_factory=dict)
    prior_preview: bool = False
    prior_file: str = ""
    register_first: bool = True
    # Correction by hand
    tool: str = ""
    draw_label: str = "lesion"
    brush_mm: float = 8.0
    sphere: bool = False
    smooth_mm: float = 1.5
    grey_limits: list[float] = field(default_factory=lambda: [0.0, 1.0])
    grey_range: list[float] = field(default_factory=lambda: [0.0, 1.0])
    undo_voxels: bool = False
    redo_voxels: bool = False
    # Display
    presets: list[str] = field(default_factory=list)
    window_preset: str = "default"
    drawing: str = "outline"
    opacity: float = 0.35
    thickness: int = 2
    # Messages and dialogs
    messages: list[dict[str, Any]] = field(default_factory=list)
    unread: int = 0
    notice: dict[str, Any] = field(default_factory=dict)
    notice_shown: bool = False
    dialog: str = ""
    questions: list[str] = field(default_factory=list)
    can_swap: bool = False
    # First screen
    folder: str = ""
    folders: list[dict[str, str]] = field(default_factory=list)
    folder_files: list[str] = field(default_factory=list)
    folder_patients: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    images_reason: str = ""
    recent: list[dict[str, str]] = field(default_factory=list)
    saved_reviews: list[dict[str, str]] = field(default_factory=list)
    saved: dict[str, str] = field(default_factory=dict)
    uploads: list[Any] = field(default_factory=list)
    upload_limit: str = ""
    # Export and settings
    leaving: dict[str, Any] = field(default_factory=dict)
    export_visits: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    export_folder: str = ""
    export_files: list[str] = field(default_factory=list)
    formats: list[dict[str, Any]] = field(default_factory=list)
    export_formats: list[str] = field(default_factory=list)
    export_series_pre: str = ""
    export_series_mid: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    checked: bool = False
    # Import
    import_visits: list[dict[str, str]] = field(default_factory=list)
    import_visit: str = "mid"
    import_path: str = ""
    import_file: str = ""
    import_question: str = ""
    import_structures: list[dict[str, Any]] = field(default_factory=list)
    import_replaces: list[str] = field(default_factory=list)
    reviewer: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
