"""Rollouts over tasks: candidates of every window, executed in the sandbox and labelled by what happened."""
