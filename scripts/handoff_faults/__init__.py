"""The parts of scripts/handoff_sweep.py."""
