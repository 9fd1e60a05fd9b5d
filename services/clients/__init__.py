"""The protocols of the library, over the services: the loop does not know where its parts are.

with Services.from_config(config) as services:
    hybrid = services.hybrid(spec, session="run-1")
    toolbox = services.open("run-1", goal=..., setup=[...], approve="deny")
"""

from services.clients.connect import Services
from services.clients.decoder import DecoderClient
from services.clients.memory import MemoryClient
from services.clients.planner import PlannerClient, SchedulerClient
from services.clients.scorer import ScorerClient
from services.clients.tools import ToolboxClient

__all__ = [
    "DecoderClient",
    "MemoryClient",
    "PlannerClient",
    "SchedulerClient",
    "ScorerClient",
    "Services",
    "ToolboxClient",
]
