"""Synthetic head-and-neck patients with known truth, in the layout of HNTS-MRG 2024.

What is modelled
----------------
* Two T2-weighted visits from skull base to shoulders on anisotropic, slightly oblique grids that differ between the
  visits, with or without fat saturation (which fails in places): outline, fat with strands, muscles in their sheaths,
  tongue, airway with mucosa, paranasal sinuses, bone with dark cortex and brighter marrow, spinal cord in CSF,
  posterior fossa and temporal lobes, cartilages of the larynx, salivary glands and thyroid, arteries as flow voids
  and veins with or without one.
* At most one primary tumour and any number of malignant nodes: irregular, heterogeneous, some necrotic, with a
  blurred border. As distractors benign nodes of the same mean signal (smooth, ovoid, even, most with a fatty hilum)
  and a pair of tonsils.
* Bias field, brightening at the coil, blur, Rician noise, arbitrary intensity scale (median of the body about 307).
* Between the visits: set-up, neck flexion and weight loss as an analytic, invertible map that is no spline
  (:mod:`HNTargetSegLib.phantom.deformation`); lesions shrink, vanish, grow or appear
  (:mod:`HNTargetSegLib.phantom.lesion_model`).

What is not
-----------
* Physics of the sequence: signals are drawn for each tissue, not computed from T1, T2 and timing. No Gibbs ringing,
  chemical shift, susceptibility, dental artefacts, swallowing or breathing ghosts, wrap-around or slice cross-talk.
* Teeth one by one, nerves, eyes, ears, ribs, oedema, ulceration, extranodal extension, operated or tracheostomised
  patients, and the disagreement of observers: a mask is exact.
* The mask registered from the pre-RT visit is warped by the true deformation and so has no registration error.

A model trained on these patients knows these patients only. Numbers on them say that software works, not that it
helps anyone.

Style ``a`` is for training and testing. Style ``b`` has another contrast, lobed instead of ragged lesions, and other
proportions; it is never trained on. A patient is a pure function of (seed, index, options) for given versions of
numpy and scipy.
"""

from HNTargetSegLib.phantom.layout import registered_pre, write_patient
from HNTargetSegLib.phantom.patient import (
    LesionTruth,
    PhantomOptions,
    PhantomPatient,
    PhantomVisit,
    generate_patient,
)

__all__ = [
    "LesionTruth",
    "PhantomOptions",
    "PhantomPatient",
    "PhantomVisit",
    "generate_patient",
    "registered_pre",
    "write_patient",
]
