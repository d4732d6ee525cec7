"""Images of pods against recorded digests, and manifests against our render."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from stagegate.gate import comparing
from stagegate.gate.content import differences
from stagegate.gate.images import Images, PodImage, judge_images, of_pod
from stagegate.model import Image

Json = dict[str, Any]
SHOP = "ghcr.io/acme/shop"
INDEX, PLATFORM, OTHER = ("sha256:" + letter * 64 for letter in "123")


def related(_: str, running: str) -> bool:
    return running in (INDEX, PLATFORM)


def judged(*images: PodImage) -> Images:
    return judge_images(images, [Image(reference=SHOP, digest=INDEX)], ("v1.1.0", "1.1.0"), related)


def pod_image(written: str, digest: str = "", over: bool = False) -> PodImage:
    source = re.sub(r"[:@].*", "", written) if digest else ""
    return PodImage(pod="shop-1", container="app", written=written, digest=digest, over=over, source=source)


@pytest.mark.parametrize("digest", [INDEX, PLATFORM])
def test_index_and_platform_digest_are_the_same_software(digest: str) -> None:
    assert judged(pod_image(f"{SHOP}:v1.1.0", digest)).proven == (f"{SHOP}@{digest}",)
    assert judged(pod_image(f"{SHOP}@{digest}")).proven == (f"{SHOP}@{digest}",)
    assert judged(pod_image(f"{SHOP}:anything", digest)).proven


@pytest.mark.parametrize(
    ("image", "word"),
    [
        (pod_image(f"{SHOP}:v1.0.0", OTHER), "old"),
        (pod_image(f"{SHOP}:v1.0.0"), "old"),
        (pod_image(f"{SHOP}:v1.1.0", OTHER), "wrong"),
        (pod_image(f"{SHOP}@{OTHER}"), "old"),
        (pod_image(f"{SHOP}:v1.1.0"), "by_tag"),
    ],
)
def test_an_image_that_is_not_proven_has_a_reason(image: PodImage, word: str) -> None:
    seen = judged(image)
    assert [name for name in seen.__struct_fields__ if getattr(seen, name)] == [word]


def test_only_a_finished_job_of_an_earlier_release_is_ignored() -> None:
    assert judged(pod_image(f"{SHOP}:v1.0.0", OTHER, over=True)) == Images()
    assert judged(pod_image(f"{SHOP}:v1.1.0", OTHER, over=True)).wrong


def test_images_of_others_are_not_judged() -> None:
    assert judged(pod_image("ghcr.io/acme/shop-extra:v9", OTHER), pod_image("redis:7", OTHER)) == Images()


def test_every_container_counts_except_those_of_a_terminating_pod() -> None:
    live: Json = {
        "metadata": {"name": "shop-1"},
        "spec": {
            "initContainers": [{"name": "migrate", "image": f"{SHOP}:v1.1.0"}],
            "containers": [{"name": "app", "image": f"localhost:5000/shop@{INDEX}"}],
        },
        "status": {
            "phase": "Running",
            "initContainerStatuses": [{"name": "migrate", "imageID": f"docker-pullable://{SHOP}@{OTHER}"}],
        },
    }
    found = of_pod(live, {"name": "shop-1"})
    assert [(i.container, i.repository, i.tag, i.digest) for i in found] == [
        ("migrate", SHOP, "v1.1.0", OTHER),
        ("app", "localhost:5000/shop", "", ""),
    ]
    live["metadata"]["deletionTimestamp"] = "2026-01-05T12:00:00Z"
    assert of_pod(live, {"name": "shop-1"}) == ()


def test_without_live_pods_the_images_come_from_the_tree() -> None:
    assert of_pod({}, {"name": "shop-1", "images": [f"{SHOP}:v1.1.0"]})[0].written == f"{SHOP}:v1.1.0"


DEPLOYMENT: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop", "labels": {"app": "shop"}},
    "spec": {
        "replicas": 2,
        "template": {"spec": {"containers": [{"name": "app", "image": f"{SHOP}:v1.1.0"}]}},
    },
}
SECRET: Json = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login"},
    "data": {"password": "aHVzaA=="},
}


def test_fields_that_argo_cd_adds_or_hides_are_no_difference() -> None:
    theirs = [copy.deepcopy(DEPLOYMENT), copy.deepcopy(SECRET)]
    theirs[0]["metadata"] |= {"namespace": "shop", "annotations": {"argocd.argoproj.io/tracking-id": "x"}}
    theirs[0]["metadata"]["labels"]["app.kubernetes.io/instance"] = "shop-staging"
    theirs[0]["status"] = {}
    theirs[1]["data"]["password"] = "++++++++"
    assert differences(theirs, [DEPLOYMENT, SECRET], "shop") == ()


def test_a_difference_names_object_and_field_and_never_a_value() -> None:
    theirs = [copy.deepcopy(DEPLOYMENT), copy.deepcopy(SECRET)]
    theirs[0]["spec"]["template"]["spec"]["containers"][0]["image"] = f"{SHOP}:v6.6.6-hunter2"
    theirs[1]["data"]["token"] = "c2VjcmV0"
    found = differences(theirs, [DEPLOYMENT, SECRET, {**DEPLOYMENT, "metadata": {"name": "extra"}}], "shop")
    assert found == (
        "Secret/shop/login differs in data",
        "Deployment/shop/extra is not in Argo CD",
        "Deployment/shop/shop differs in spec.template.spec.containers[0].image",
    )
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{{ randAlphaNum 8 }}", "randAlpha"),
        ('{{- if .Capabilities.APIVersions.Has "x" }}', ".Capabilities"),
        ('{{ (lookup "v1" "Secret" "a" "b") }}', "lookup"),
        ("{{ now | date }}", "now"),
        ("known: {{ .Values.nowhere }} now and genCA", ""),
    ],
)
def test_a_chart_that_renders_differently_each_time_is_found_by_its_functions(
    template: str, word: str
) -> None:
    files = {"shop/templates/a.yaml": template.encode(), "shop/README.md": b"{{ uuidv4 }}"}
    assert comparing.unsteady(files) == word
