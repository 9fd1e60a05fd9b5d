"""Checks: assertions on a workspace, evaluated inside the sandbox, never by the model's word."""

from hybrid_agent.checks.verify import verify, verify_ro_binds

__all__ = ["verify", "verify_ro_binds"]
