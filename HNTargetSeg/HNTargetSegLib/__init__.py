"""HNTargetSeg: primary tumour and lymph-node targets on head-and-neck MR (research use only)."""

__version__ = "0.1.0"
