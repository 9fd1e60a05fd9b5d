"""Energies of whole programs in a pool: many candidate solutions of one task, reranked with or without running them."""
