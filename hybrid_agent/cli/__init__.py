"""The `hybrid-agent` command: one file a command group; heavy imports inside the commands."""
