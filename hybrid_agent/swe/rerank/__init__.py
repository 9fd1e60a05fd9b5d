"""Best of K over whole patches: an energy from how a patch looks, where it lies and what tests say of it."""
