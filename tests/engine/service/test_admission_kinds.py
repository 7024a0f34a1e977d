"""What is found in each governed kind of object: annotations, and everything that is pulled, by its path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.service.admission import claims, extractors
from mandate.engine.service.admission.claims import ModelClaim
from mandate.engine.service.admission.extractors.kind import Kind
from mandate.engine.service.admission.governed import NotUnderstood
from tests.cluster import new_model

MODEL = new_model()
SAID = {"annotations": MODEL.annotations}
IMAGE = MODEL.image
AT = MODEL.location
SPEC = {"containers": [{"name": "c", "image": IMAGE}]}
TEMPLATE = {"metadata": SAID, "spec": SPEC}

EXAMPLES: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {
    ("", "Pod"): (
        {
            "metadata": SAID,
            "spec": {
                "containers": [
                    {
                        "image": IMAGE,
                        "env": [{"name": "STORAGE_URI", "value": AT}, {"name": "X", "value": "1"}],
                    }
                ],
                "initContainers": [
                    {"image": IMAGE},
                    {"name": "storage-initializer", "image": IMAGE, "args": [AT, "/mnt/a", AT, "/mnt/b"]},
                ],
                "ephemeralContainers": [{"image": IMAGE}],
                "volumes": [
                    {"name": "m", "image": {"reference": IMAGE}},
                    {"name": "block", "rbd": {"image": "a-block-device"}},
                ],
            },
        },
        [
            "spec.containers[0].image",
            "spec.containers[0].env[0].value",
            "spec.initContainers[0].image",
            "spec.initContainers[1].args[0]",
            "spec.initContainers[1].args[2]",
            "spec.initContainers[1].image",
            "spec.ephemeralContainers[0].image",
            "spec.volumes[0].image.reference",
        ],
    ),
    **{
        (group, kind): ({"spec": {"template": TEMPLATE}}, ["spec.template.spec.containers[0].image"])
        for group, kind in [
            ("", "ReplicationController"),
            ("apps", "DaemonSet"),
            ("apps", "Deployment"),
            ("apps", "ReplicaSet"),
            ("apps", "StatefulSet"),
            ("batch", "Job"),
            ("serving.knative.dev", "Service"),
            ("argoproj.io", "Rollout"),
        ]
    },
    ("batch", "CronJob"): (
        {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE}}}},
        ["spec.jobTemplate.spec.template.spec.containers[0].image"],
    ),
    ("serving.kserve.io", "InferenceService"): (
        {
            "metadata": SAID,
            "spec": {
                "predictor": {
                    "model": {
                        "storageUri": AT,
                        "storageUris": [{"uri": AT, "mountPath": "/mnt"}, {"uri": AT}],
                    },
                    "containers": [{"image": IMAGE}],
                    "canary": [{"sklearn": {"storageUri": AT}}],
                },
                "transformer": {"containers": [{"env": [{"name": "STORAGE_URI", "value": AT}]}]},
                "explainer": {"art": {"storageUri": AT, "image": IMAGE}},
            },
        },
        [
            "spec.predictor.model.storageUri",
            "spec.predictor.model.storageUris[0].uri",
            "spec.predictor.model.storageUris[1].uri",
            "spec.predictor.containers[0].image",
            "spec.predictor.canary[0].sklearn.storageUri",
            "spec.transformer.containers[0].env[0].value",
            "spec.explainer.art.storageUri",
            "spec.explainer.art.image",
        ],
    ),
    **{
        ("serving.kserve.io", kind): (
            {
                "metadata": SAID,
                "spec": {
                    "model": {"uri": AT, "lora": {"adapters": [{"uri": AT}]}},
                    "template": SPEC,
                },
            },
            [
                "spec.model.uri",
                "spec.model.lora.adapters[0].uri",
                "spec.template.containers[0].image",
            ],
        )
        for kind in ("LLMInferenceService", "LLMInferenceServiceConfig")
    },
    ("serving.kserve.io", "TrainedModel"): (
        {"metadata": SAID, "spec": {"model": {"storageUri": AT, "framework": "sklearn"}}},
        ["spec.model.storageUri"],
    ),
    ("ray.io", "RayCluster"): (
        {"spec": {"headGroupSpec": {"template": TEMPLATE}, "workerGroupSpecs": [{"template": TEMPLATE}]}},
        [
            "spec.headGroupSpec.template.spec.containers[0].image",
            "spec.workerGroupSpecs[0].template.spec.containers[0].image",
        ],
    ),
    ("ray.io", "RayJob"): (
        {
            "spec": {
                "rayClusterSpec": {"headGroupSpec": {"template": TEMPLATE}},
                "runtimeEnvYAML": f"py_modules: ['{AT}code.zip']\n",
            }
        },
        [
            "spec.rayClusterSpec.headGroupSpec.template.spec.containers[0].image",
            "spec.runtimeEnvYAML.py_modules[0]",
        ],
    ),
    ("ray.io", "RayService"): (
        {
            "spec": {
                "rayClusterConfig": {"headGroupSpec": {"template": TEMPLATE}},
                "serveConfigV2": f"applications:\n- runtime_env: {{working_dir: '{AT}code.zip'}}\n",
            }
        },
        [
            "spec.rayClusterConfig.headGroupSpec.template.spec.containers[0].image",
            "spec.serveConfigV2.applications[0].runtime_env.working_dir",
        ],
    ),
    ("machinelearning.seldon.io", "SeldonDeployment"): (
        {
            "metadata": SAID,
            "spec": {
                "predictors": [
                    {
                        "graph": {"modelUri": AT, "children": [{"modelUri": AT}]},
                        "componentSpecs": [{"spec": SPEC}],
                    }
                ]
            },
        },
        [
            "spec.predictors[0].graph.modelUri",
            "spec.predictors[0].graph.children[0].modelUri",
            "spec.predictors[0].componentSpecs[0].spec.containers[0].image",
        ],
    ),
    ("mlops.seldon.io", "Model"): ({"metadata": SAID, "spec": {"storageUri": AT}}, ["spec.storageUri"]),
}


def kind_of(group: str, name: str) -> Kind:
    found = extractors.of(group, name)
    assert found is not None
    return found


def test_every_kind_has_an_example() -> None:
    assert {(kind.group, kind.name) for kind in extractors.KINDS} == EXAMPLES.keys()


def test_every_kind_has_a_file_that_is_named_after_it() -> None:
    folder = Path(extractors.__file__).parent
    names = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.name).lower() for kind in extractors.KINDS}
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "kind"}
    owned = {
        "service": "knative_service",
        "model": "seldon_model",
        "llminference_service": "llm_inference_service",
    }
    owned["llminference_service_config"] = "llm_inference_service_config"
    assert {owned.get(name, name) for name in names} == files


@pytest.mark.parametrize(("named", "example"), EXAMPLES.items(), ids=lambda each: str(each)[:60])
def test_what_is_pulled_is_found_by_its_path(
    named: tuple[str, str], example: tuple[dict[str, Any], list[str]]
) -> None:
    found, paths = example
    governed = kind_of(*named).extract(found)
    assert [pull.path for pull in governed.pulls] == paths
    assert [pull.fault for pull in governed.pulls] == [""] * len(paths)
    assert claims.read(governed) == ModelClaim("credit", MODEL.version, MODEL.sha256)


@pytest.mark.parametrize(("named", "example"), EXAMPLES.items(), ids=lambda each: str(each)[:60])
def test_each_pull_that_carries_no_digest_is_named(
    named: tuple[str, str], example: tuple[dict[str, Any], list[str]]
) -> None:
    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: each if key == "annotations" else bare(each) for key, each in value.items()}
        if isinstance(value, list):
            return [bare(each) for each in value]
        if isinstance(value, str):
            return value.replace(f"@sha256:{MODEL.sha256}", ":v1").replace(f"sha256-{MODEL.sha256}", "v1")
        return value

    found, paths = example
    governed = kind_of(*named).extract(bare(found))
    reasons = claims.read(governed)
    assert isinstance(reasons, tuple)
    assert [reason.place for reason in reasons][: len(paths)] == paths
    assert "nothing that is pulled carries it" in reasons[-1].text


@pytest.mark.parametrize(("named", "example"), EXAMPLES.items(), ids=lambda each: str(each)[:60])
def test_an_object_without_its_kinds_shape_is_not_understood(
    named: tuple[str, str], example: tuple[dict[str, Any], list[str]]
) -> None:
    shapes: list[dict[str, Any]] = [{}, {"spec": None}, {"spec": {}}]
    for broken in shapes:
        kind = kind_of(*named)
        try:
            claim = claims.read(kind.extract(broken))
        except NotUnderstood:
            continue
        assert isinstance(claim, tuple)


def test_a_base_configuration_is_denied_because_it_may_change() -> None:
    found, _ = EXAMPLES["serving.kserve.io", "LLMInferenceService"]
    with_base = found | {"spec": found["spec"] | {"baseRefs": [{"name": "defaults"}]}}
    reasons = claims.read(kind_of("serving.kserve.io", "LLMInferenceService").extract(with_base))
    assert isinstance(reasons, tuple)
    assert [reason.text for reason in reasons] == [
        "spec.baseRefs: what they add is not in this object, and may change; write it out here"
    ]


def test_a_ray_job_in_a_cluster_that_is_elsewhere_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match=r"spec\.clusterSelector"):
        kind_of("ray.io", "RayJob").extract({"spec": {"clusterSelector": {"a": "b"}}})


def test_a_rollout_of_another_workload_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match=r"spec\.workloadRef names another object"):
        kind_of("argoproj.io", "Rollout").extract({"spec": {"workloadRef": {"name": "x"}}})


@pytest.mark.parametrize("config", [3, "a: [", "a: &x 1\nb: *x\n\ud800"])
def test_a_configuration_that_cannot_be_read_is_not_understood(config: Any) -> None:
    found, _ = EXAMPLES["ray.io", "RayService"]
    broken = {"spec": found["spec"] | {"serveConfigV2": config}}
    with pytest.raises(NotUnderstood, match=r"spec\.serveConfigV2"):
        kind_of("ray.io", "RayService").extract(broken)


def test_a_ray_service_without_applications_pulls_what_its_cluster_pulls() -> None:
    found, paths = EXAMPLES["ray.io", "RayService"]
    bare = {"spec": {"rayClusterConfig": found["spec"]["rayClusterConfig"]}}
    assert [pull.path for pull in kind_of("ray.io", "RayService").extract(bare).pulls] == paths[:1]


@pytest.mark.parametrize(
    ("groups", "where"),
    [("x", "workerGroupSpecs is not a list"), ([{"template": "x"}], r"workerGroupSpecs\[0\].template")],
)
def test_groups_of_workers_without_templates_are_not_understood(groups: Any, where: str) -> None:
    broken = {"spec": {"headGroupSpec": {"template": TEMPLATE}, "workerGroupSpecs": groups}}
    with pytest.raises(NotUnderstood, match=where):
        kind_of("ray.io", "RayCluster").extract(broken)


def test_templates_that_contradict_each_other_are_named() -> None:
    other = {"metadata": {"annotations": MODEL.annotations | {"mandate.dev/model": "other/1"}}, "spec": SPEC}
    found = {"spec": {"headGroupSpec": {"template": TEMPLATE}, "workerGroupSpecs": [{"template": other}]}}
    reasons = claims.read(kind_of("ray.io", "RayCluster").extract(found))
    assert isinstance(reasons, tuple)
    assert [reason.text for reason in reasons] == [
        "spec.workerGroupSpecs[0].template.metadata.annotations[mandate.dev/model] is not what "
        "spec.headGroupSpec.template.metadata.annotations says"
    ]


def test_a_digest_beside_the_claim_that_there_is_no_model_is_refused() -> None:
    annotations = {"mandate.dev/model": "none", "mandate.dev/digest": f"sha256:{MODEL.sha256}"}
    governed = kind_of("", "Pod").extract({"metadata": {"annotations": annotations}, "spec": SPEC})
    reasons = claims.read(governed)
    assert isinstance(reasons, tuple)
    assert [reason.place for reason in reasons] == ["metadata.annotations[mandate.dev/digest]"]


@pytest.mark.parametrize(
    ("location", "carries"),
    [
        (f"oci://registry/credit@sha256:{MODEL.sha256}", True),
        ("oci://registry/credit:3", False),
        (f"s3://bucket/{MODEL.sha256}/model", True),
        (f"gs://bucket/sha256:{MODEL.sha256}", True),
        (f"s3://bucket/{MODEL.sha256}/{'0' * 64}", False),
        (f"s3://bucket/$(WHICH)/{MODEL.sha256}", False),
        (f"s3://bucket/x{MODEL.sha256}", False),
        (f"https://models/{MODEL.sha256}/../other/", False),
        (f"https://models/{MODEL.sha256}/..", False),
        (f"pvc://models/./{MODEL.sha256}/", False),
        (f"https://models/other?of=/{MODEL.sha256}/", False),
        (f"https://models/other#/{MODEL.sha256}", False),
        (f"https://models/{MODEL.sha256}/%2e%2e/other", False),
        (f"https://models/{MODEL.sha256}/..\\..\\other", False),
        (f"https://models/{MODEL.sha256}/\u202e", False),
        (f"s3://bucket/..credit/{MODEL.sha256}/model..bin", True),
        ("pvc://models/credit", False),
        (3, False),
        ("", False),
    ],
)
def test_a_location_carries_a_digest_or_is_bare(location: Any, carries: bool) -> None:
    found = {"metadata": SAID, "spec": {"storageUri": location}}
    (pull,) = kind_of("mlops.seldon.io", "Model").extract(found).pulls
    assert (pull.digest == MODEL.sha256, pull.fault == "") == (carries, carries)


def test_storage_that_is_named_by_key_and_path_is_a_bare_location() -> None:
    found = {
        "metadata": SAID,
        "spec": {"predictor": {"model": {"storage": {"key": "s3", "path": "credit/1"}}}},
    }
    (pull,) = kind_of("serving.kserve.io", "InferenceService").extract(found).pulls
    assert (pull.path, pull.digest) == ("spec.predictor.model.storage.path", None)
    empty = {"metadata": SAID, "spec": {"predictor": {"model": {"storage": {"key": "s3"}}}}}
    (pull,) = kind_of("serving.kserve.io", "InferenceService").extract(empty).pulls
    assert "is no location" in pull.fault


@pytest.mark.parametrize("metadata", ["x", {"annotations": []}, {"annotations": {"mandate.dev/digest": 3}}])
def test_metadata_of_another_shape_is_not_understood(metadata: Any) -> None:
    with pytest.raises(NotUnderstood, match="metadata"):
        kind_of("", "Pod").extract({"metadata": metadata, "spec": SPEC})


def test_an_image_that_is_no_text_is_named() -> None:
    found = {"metadata": SAID, "spec": {"containers": [{"image": 3}, {"image": IMAGE}], "volumes": ["x"]}}
    first, _ = kind_of("", "Pod").extract(found).pulls
    assert first.fault == "spec.containers[0].image is no image's name"


def test_a_location_that_is_null_is_none() -> None:
    found = {"metadata": SAID, "spec": {"storageUri": None}}
    assert kind_of("mlops.seldon.io", "Model").extract(found).pulls == ()
