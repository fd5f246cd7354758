"""Speed and memory beside other people's software, in one run on one machine: ``python -m Testing.benchmarks``."""
