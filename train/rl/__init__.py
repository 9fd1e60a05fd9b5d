"""Group-relative policy optimization of the decoder over work in the sandbox (docs/rl.md)."""
