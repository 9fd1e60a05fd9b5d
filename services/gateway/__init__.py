"""The HTTP gateway: an OpenAI-compatible chat endpoint, agent runs with live events, metrics and the page."""
