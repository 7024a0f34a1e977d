"""A real API server, its store and its client, each built once a user from its pinned Go module."""

from __future__ import annotations

import fcntl
import re
from pathlib import Path

from mandate.engine.opa import places, recipe
from mandate.engine.opa.recipe import Recipe

_HERE = Path(__file__).parent


def kube_apiserver() -> Path:
    """The API server. It takes three minutes to build."""
    return _built("kube-apiserver", "apiserver", "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver")


def kubectl() -> Path:
    """Its client."""
    return _built("kubectl", "apiserver", "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kubectl", "options")


def etcd() -> Path:
    """Its store."""
    return _built("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3")


def helm() -> Path:
    """What puts charts together."""
    return _built("helm", "helm", "helm.sh/helm/v3", "helm.sh/helm/v3/cmd/helm", "version")


def _built(name: str, folder: str, module: str, package: str, asked: str = "--version") -> Path:
    pinned = re.search(rf"{re.escape(module)} v(\S+)", (_HERE / folder / "go.mod").read_text())
    assert pinned
    into = places.data_home() / f"{name}-{pinned[1]}"
    into.mkdir(parents=True, exist_ok=True)
    with (into / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes, one build
        if not (into / name).exists():
            recipe.build(Recipe(name, pinned[1], package, _HERE / folder, asked), into)
    return into / name
