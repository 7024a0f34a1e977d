"""The governed kinds: a file each, and one line here."""

from __future__ import annotations

from . import (
    cron_job,
    daemon_set,
    deployment,
    inference_service,
    job,
    knative_service,
    llm_inference_service,
    llm_inference_service_config,
    pod,
    ray_cluster,
    ray_job,
    ray_service,
    replica_set,
    replication_controller,
    rollout,
    seldon_deployment,
    seldon_model,
    stateful_set,
    trained_model,
)
from .kind import Kind

KINDS: tuple[Kind, ...] = (
    pod.KIND,
    replication_controller.KIND,
    daemon_set.KIND,
    deployment.KIND,
    replica_set.KIND,
    stateful_set.KIND,
    cron_job.KIND,
    job.KIND,
    inference_service.KIND,
    llm_inference_service.KIND,
    llm_inference_service_config.KIND,
    trained_model.KIND,
    knative_service.KIND,
    ray_cluster.KIND,
    ray_job.KIND,
    ray_service.KIND,
    rollout.KIND,
    seldon_deployment.KIND,
    seldon_model.KIND,
)

_BY_NAME = {(kind.group, kind.name): kind for kind in KINDS}


def of(group: str, name: str) -> Kind | None:
    """The kind with this name; `None` if nobody knows what it pulls."""
    return _BY_NAME.get((group, name))
