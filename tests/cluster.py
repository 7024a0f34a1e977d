"""Objects as a Kubernetes API server would ask about them, and models that they run."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import Any

from tests.organisation import GOOD
from tests.service import Serving

_OLD = GOOD["subject"]["sha256"]
_numbers = itertools.count(1)

Object = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A version of the model `credit` that nobody has heard of yet."""

    version: str
    sha256: str
    document: dict[str, Any]
    """What is known of it: it satisfies every rule."""

    @property
    def annotations(self) -> dict[str, str]:
        """What an object that runs it says."""
        return {
            "mandate.dev/model": f"credit/{self.version}",
            "mandate.dev/digest": f"sha256:{self.sha256}",
        }

    @property
    def image(self) -> str:
        """An image that carries the digest."""
        return f"registry.example/credit@sha256:{self.sha256}"

    @property
    def location(self) -> str:
        """A location that carries the digest."""
        return f"s3://models/credit/sha256-{self.sha256}/"


def new_model() -> Model:
    """Another version with files of its own."""
    number = next(_numbers)
    changed = copy.deepcopy(GOOD)
    files = changed["artifact"]["files"]
    files[0]["sha256"] = hashlib.sha256(f"{number}".encode()).hexdigest()
    ordered = sorted(files, key=lambda file: file["path"].split("/"))
    sha256 = hashlib.sha256(b"".join(bytes.fromhex(file["sha256"]) for file in ordered)).hexdigest()
    version = str(100 + number)
    text = json.dumps(changed).replace(_OLD, sha256).replace("models:/credit/2", f"models:/credit/{version}")
    document = json.loads(text)
    document["subject"]["version"] = document["model"]["version"] = version
    return Model(version, sha256, document)


def pod(annotations: dict[str, str], *images: str, **spec: Any) -> Object:
    """A Pod with a container for each image."""
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "credit", "namespace": "lending", "annotations": annotations},
        "spec": {"containers": containers, **spec},
    }


def deployment(annotations: dict[str, str], *images: str, name: str = "credit", **spec: Any) -> Object:
    """A Deployment of such Pods."""
    made = pod(annotations, *images, **spec)
    labels = {"app": name}
    template = {"metadata": {"annotations": annotations, "labels": labels}, "spec": made["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "lending"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def review(
    found: Object | None,
    *,
    operation: str = "CREATE",
    old: Object | None = None,
    uid: str = "3d2a",
    user: str = "ada",
    groups: tuple[str, ...] = ("system:authenticated",),
    **more: Any,
) -> dict[str, Any]:
    """What the API server asks about an object."""
    named = found or old or {}
    group, _, version = named.get("apiVersion", "v1").rpartition("/")
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": group, "version": version, "kind": named.get("kind", "Pod")},
            "resource": {"group": group, "version": version, "resource": "things"},
            "name": named.get("metadata", {}).get("name", ""),
            "namespace": named.get("metadata", {}).get("namespace", ""),
            "operation": operation,
            "userInfo": {"username": user, "groups": list(groups)},
            "object": found,
            "oldObject": old,
            "dryRun": False,
            **more,
        },
    }


def asked(service: Serving, body: Any, *, environment: str = "production", query: str = "") -> dict[str, Any]:
    """The response to a review, which is well-formed."""
    answer = service.call("POST", f"/v1/admission/{environment}{query}", json=body)
    assert answer.status_code == 200, answer.text
    return well_formed(answer.json(), body["request"]["uid"])


def well_formed(answer: Any, uid: str) -> dict[str, Any]:
    """The response in an answer that an API server accepts."""
    assert answer.keys() == {"apiVersion", "kind", "response"}
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, Any] = answer["response"]
    assert response.keys() <= {"uid", "allowed", "status", "warnings", "auditAnnotations"}
    assert response["uid"] == uid
    assert response["allowed"] is ("status" not in response)
    for warning in response.get("warnings", []):
        assert len(warning) <= 120
        assert warning.isprintable()
    assert len(response.get("warnings", [])) <= 16
    assert all(name.replace("-", "").isalpha() and name.islower() for name in response["auditAnnotations"])
    if not response["allowed"]:
        status = response["status"]
        assert (status["code"], status["reason"]) in {
            (403, "Forbidden"),
            (400, "BadRequest"),
            (500, "InternalError"),
        }
        assert len(status["message"]) <= 4000
        assert all(line.isprintable() for line in status["message"].split("\n"))
        assert status["details"]["causes"]
    return response
