"""Evaluation of energies on pools of candidate solutions."""
