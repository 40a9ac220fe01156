"""Probes as the file has them: in snake_case, or as Kubernetes spells them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from stigmer_pm.config.block import Block, ListAs
from stigmer_pm.config.field_units import Duration, SecondsOnly
from stigmer_pm.config.fields import JsonSchema, Whole
from stigmer_pm.config.model_handlers import (
    ExecHandler,
    GrpcHandler,
    HttpHandler,
    KubernetesHttpHandler,
    LogHandler,
    TcpHandler,
)

_COUNT = Whole(0, 2**31 - 1)


class Probe(Block):
    """What is asked, how often, and how many answers count. Exactly one handler.

    A key that is none of these may be a handler of another package (entry point group `stigmer_pm.probes`).
    """

    # Which other packages there are is only looked up when there is such a key; resolving does that.
    model_config = ConfigDict(extra="allow")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema_core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        schema: JsonSchema = super().__get_pydantic_json_schema__(schema_core, handler)
        return schema | {"additionalProperties": False}

    exec: Annotated[ExecHandler | None, ListAs("command")] = Field(
        None, description="Run a command; or `exec: COMMAND`.", examples=["pg_isready -q"]
    )
    http: HttpHandler | None = Field(
        None, description="GET a URL; or `http: URL`.", examples=[{"port": 8080, "path": "/healthz"}]
    )
    httpGet: KubernetesHttpHandler | None = Field(
        None, description="`http` as Kubernetes spells it.", examples=[{"port": 8080, "path": "/healthz"}]
    )
    tcp: TcpHandler | None = Field(None, description="Connect to a port; or `tcp: PORT`.", examples=[5432])
    tcpSocket: TcpHandler | None = Field(None, description="`tcp` as Kubernetes spells it.", examples=[{"port": 5432}])
    grpc: GrpcHandler | None = Field(
        None,
        description="Ask the gRPC health service; or `grpc: PORT`. Needs `stigmer-pm[grpc]`.",
        examples=[{"port": 50051}],
    )
    log: LogHandler | None = Field(
        None,
        description="Look for a line of this run's log; or `log: PATTERN`. Startup and readiness only.",
        examples=["listening on [0-9]+"],
    )
    initial_delay: Annotated[float | None, Duration()] = Field(
        None, description="The wait before the first attempt.", examples=["5s"], json_schema_extra={"default": "0s"}
    )
    initialDelaySeconds: Annotated[float | None, SecondsOnly()] = Field(
        None, description="`initial_delay` as Kubernetes spells it.", examples=[5]
    )
    period: Annotated[float | None, Duration()] = Field(
        None,
        description="From one attempt to the next. 0 means the default, as in Kubernetes.",
        examples=["5s"],
        json_schema_extra={"default": "10s"},
    )
    periodSeconds: Annotated[float | None, SecondsOnly()] = Field(
        None, description="`period` as Kubernetes spells it.", examples=[5]
    )
    timeout: Annotated[float | None, Duration()] = Field(
        None,
        description="An attempt that takes longer has failed. 0 means the default, as in Kubernetes.",
        examples=["3s"],
        json_schema_extra={"default": "1s"},
    )
    timeoutSeconds: Annotated[float | None, SecondsOnly()] = Field(
        None, description="`timeout` as Kubernetes spells it.", examples=[3]
    )
    success_threshold: Annotated[int | None, _COUNT] = Field(
        None,
        description="So many successes in a row are needed after a failure. Must be 1 for liveness and startup.",
        examples=[2],
        json_schema_extra={"default": 1},
    )
    successThreshold: Annotated[int | None, _COUNT] = Field(
        None, description="`success_threshold` as Kubernetes spells it.", examples=[2]
    )
    failure_threshold: Annotated[int | None, _COUNT] = Field(
        None,
        description="So many failures in a row count. 0 means the default, as in Kubernetes.",
        examples=[5],
        json_schema_extra={"default": 3},
    )
    failureThreshold: Annotated[int | None, _COUNT] = Field(
        None, description="`failure_threshold` as Kubernetes spells it.", examples=[5]
    )
    termination_grace: Annotated[float | None, Duration(is_above_zero=True)] = Field(
        None,
        description="How long the instance may take to stop when this probe has failed, before it is killed; the "
        "component's `stop_timeout` when not given. Liveness and startup only.",
        examples=["30s"],
    )
    terminationGracePeriodSeconds: Annotated[float | None, SecondsOnly(is_above_zero=True)] = Field(
        None, description="`termination_grace` as Kubernetes spells it.", examples=[30]
    )


class ProbeSet(Block):
    """The probes of a component. Startup gates the other two."""

    startup: Probe | None = Field(
        None,
        description="Until it has passed, the instance is not started, and the other probes wait. Failed: restart.",
        examples=[{"http": {"port": 8080, "path": "/healthz"}, "failure_threshold": 30, "period": "1s"}],
    )
    startupProbe: Probe | None = Field(
        None, description="`startup` as Kubernetes spells it.", examples=[{"tcpSocket": {"port": 8080}}]
    )
    liveness: Probe | None = Field(
        None, description="Failed: the instance is restarted.", examples=[{"http": "http://127.0.0.1:8080/healthz"}]
    )
    livenessProbe: Probe | None = Field(
        None, description="`liveness` as Kubernetes spells it.", examples=[{"tcpSocket": {"port": 8080}}]
    )
    readiness: Probe | None = Field(
        None, description="Says whether the instance is ready; never restarts it.", examples=[{"tcp": 8080}]
    )
    readinessProbe: Probe | None = Field(
        None, description="`readiness` as Kubernetes spells it.", examples=[{"tcpSocket": {"port": 8080}}]
    )
