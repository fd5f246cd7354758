"""Experiments that repeat a paper's comparison, from patients to its table beside ours."""
