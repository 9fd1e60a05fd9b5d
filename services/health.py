"""`python -m services.health ADDRESS [...]`: exit code 0 if every service answers that it serves.

Made for container health checks, so it imports nothing but grpc. ADDRESS is `unix:PATH` or `HOST:PORT`; a token is
taken from $HYBRID_AGENT_SERVICE_TOKEN. Services behind certificates are asked with `grpc_health_probe` and the like.
"""

from __future__ import annotations

import os
import sys

TIMEOUT_S = 5.0


def main() -> int:
    """Ask each; print what is wrong."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    token = os.environ.get("HYBRID_AGENT_SERVICE_TOKEN")
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    if not sys.argv[1:]:
        print("say which: unix:PATH or HOST:PORT", file=sys.stderr)
        return 2
    for address in sys.argv[1:]:
        with grpc.insecure_channel(address) as channel:
            try:
                request = health_pb2.HealthCheckRequest()
                reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S, metadata=metadata)
            except grpc.RpcError as error:
                print(f"{address}: {error.code().name}", file=sys.stderr)  # type: ignore[attr-defined]
                return 1
        if reply.status != health_pb2.HealthCheckResponse.SERVING:
            print(f"{address}: not serving", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
