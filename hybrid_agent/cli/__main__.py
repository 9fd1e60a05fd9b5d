"""`python -m hybrid_agent.cli`: the same as the `hybrid-agent` command."""

from hybrid_agent.cli.main import main

if __name__ == "__main__":
    main()
