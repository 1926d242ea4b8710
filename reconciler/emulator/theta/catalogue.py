"""What the account offers: keys, templates and machines. Source: theta §9; the seed's ids where it names any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.store import Tx

__all__ = [
    "API_KEY",
    "CUSTOM",
    "JUPYTER",
    "KEYS",
    "ORG",
    "OTHER_API_KEY",
    "OTHER_PROJECT",
    "PROJECT",
    "STANDARD",
    "VMS",
    "find_template",
    "machine",
]

PROJECT: Final = "prj_v4bqyvvycsffhq17rxt0kued3dv7"
OTHER_PROJECT: Final = "prj_b63e3b061wwrdtokzq3fyeay757n"
ORG: Final = "org_5b0sj4id6m7kdsz3qgs4q2nh1vz4"
API_KEY: Final = "nflgilupuu3m2qyjqlpbfkunizhqkxam"
OTHER_API_KEY: Final = "hfvi6dpentowc947516s9mf6xzqw3upg"
KEYS: Final[Mapping[str, str]] = {API_KEY: PROJECT, OTHER_API_KEY: OTHER_PROJECT}
JUPYTER: Final = "Jupyter Notebook"


def _vm(vm_id: str, name: str, resources: str, price_hour: str, gpu_model: str = "") -> dict[str, Any]:
    """One machine as the list shows it; `resources` is cpu mem storage [gpu], all texts on the wire."""
    cpu, mem, storage, *gpu = resources.split()
    shown: dict[str, str] = {"cpu": cpu, "mem": mem, "storage": storage}
    if gpu:
        shown |= {"gpu": gpu[0], "gpu model": gpu_model}
    return {"id": vm_id, "name": name, "description": None, "resources": shown, "price_hour": price_hour}


VMS: Final = (
    _vm("vm_c1", "C1", "2000 2048 32", "5"),
    _vm("vm_c2", "C2", "8000 16384 256", "10"),
    _vm("vm_gt1", "GT1", "2000 8192 128 1", "20", "NVIDIA T4"),
    _vm("vm_gt2", "GT2", "8000 16384 256 2", "40", "NVIDIA T4"),
    _vm("vm_gv1", "GV1", "4000 16384 256 1", "99", "NVIDIA V100"),
    _vm("vm_gv2", "GV2", "8000 32768 512 2", "198", "NVIDIA V100"),
    _vm("vm_ga1", "GA1", "10000 81920 256 1", "199", "NVIDIA A100"),
    _vm("vm_ga2", "GA2", "20000 163840 1024 2", "398", "NVIDIA A100"),
)


def machine(vm_id: str) -> dict[str, Any] | None:
    """The machine of this id, or none."""
    return next((vm for vm in VMS if vm["id"] == vm_id), None)


def _template(
    template_id: str,
    name: str,
    category: str,
    *,
    images: str,
    vms: str,
    port: int,
    args: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    needs_env: bool = False,
    about: str = "",
    tags: tuple[str, ...] = (),
) -> dict[str, Any]:
    """One template as the list shows it; `images` and `vms` are separated by spaces."""
    return {
        "id": template_id,
        "name": name,
        "description": about or None,
        "tags": list(tags),
        "category": category,
        "project_id": None,
        "container_images": images.split(),
        "suggested_vms": vms.split(),
        "container_port": port,
        "container_args": list(args) or None,
        "env_vars": dict(env) if env else None,
        "require_env_vars": needs_env,
        "rank": 0,
        "create_time": "2024-05-14T09:30:00.000000Z",
        "icon_url": None,
    }


_P: Final = "prototyping"
_S: Final = "serving"

STANDARD: Final = (
    _template(
        "img_11d40kefk5jpauj8pk59mb52dzbe",
        JUPYTER,
        _P,
        images="jupyter/base-notebook:latest jupyter/scipy-notebook:latest",
        vms="vm_c1 vm_gt1",
        port=8888,
        args=("start-notebook.sh", "--NotebookApp.token=''"),
        about="A notebook server with a password of your own.",
        tags=("Notebook",),
    ),
    _template(
        "img_hgrxdhekj6ax2s843ccxrzibd7h2",
        "PyTorch",
        _P,
        images="pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime",
        vms="vm_gt1",
        port=8080,
    ),
    _template(
        "img_f7khdtbchmbfio9rfze3gglbr26g",
        "TensorFlow",
        _P,
        images="tensorflow/tensorflow:2.16.1-gpu-jupyter",
        vms="vm_gt1",
        port=8888,
    ),
    _template(
        "img_5phki60mux9pj0td3x535ypr07zj",
        "VS Code Server",
        _P,
        images="codercom/code-server:4.92.2",
        vms="vm_c1",
        port=8080,
    ),
    _template(
        "img_g2uy6m8p17t4nbxr4wnzuub5r3ld",
        "RAPIDS",
        _P,
        images="rapidsai/notebooks:24.06-cuda12.2-py3.11",
        vms="vm_gv1",
        port=8888,
    ),
    _template(
        "img_iumm85qkqibd3futyksir8n8ztlc", "ComfyUI", _P, images="thetalabs/comfyui:0.2.2", vms="vm_gt1", port=8188
    ),
    _template(
        "img_haehligvpslgcxu8cgyuefodh7q1",
        "vLLM",
        _S,
        images="vllm/vllm-openai:v0.6.3",
        vms="vm_gt1 vm_ga1",
        port=8000,
        env={"HF_HOME": "/models"},
        about="An OpenAI-compatible server for language models.",
        tags=("LLM",),
    ),
    _template(
        "img_tod97awvowzegeznmpn5dygd1817",
        "Llama 3.1 70B",
        _S,
        images="thetalabs/llama3.1-70b:1.0",
        vms="vm_ga2",
        port=8000,
        about="Meta's Llama 3.1 with 70 billion parameters.",
        tags=("LLM",),
    ),
    _template(
        "img_z4ztk0lt421oztnfa2s6vok9juum",
        "Llama 3.1 8B",
        _S,
        images="thetalabs/llama3.1-8b:1.0",
        vms="vm_gv1",
        port=8000,
    ),
    _template(
        "img_5s761io2j5wxes7ekxz9zpbcwi4j", "Mistral 7B", _S, images="thetalabs/mistral-7b:0.3", vms="vm_gv1", port=8000
    ),
    _template(
        "img_st1stzevyd7u314rcqoe15xmrfc9",
        "Stable Diffusion",
        _S,
        images="thetalabs/stable-diffusion:1.5",
        vms="vm_gt1",
        port=7860,
        tags=("Image",),
    ),
    _template(
        "img_t5z1qzssu8w25qaomccgdrbnzcey",
        "FLUX.1",
        _S,
        images="thetalabs/flux:1-schnell",
        vms="vm_ga1",
        port=7860,
        tags=("Image",),
    ),
    _template(
        "img_gs7l2fh9pajl3r1fjxdnwkj2jg0y",
        "Whisper",
        _S,
        images="thetalabs/whisper:large-v3",
        vms="vm_gt1",
        port=9000,
        tags=("Audio",),
    ),
    _template(
        "img_1wl8lqriqmjvjzbx0syoi8nx5pl3",
        "Text Embeddings",
        _S,
        images="thetalabs/text-embeddings:1.5",
        vms="vm_c2 vm_gt1",
        port=8080,
        about="An embedding server for search and retrieval.",
        tags=("Embedding",),
    ),
    _template(
        "img_8px97gooewsyfgbr19fj8d5ij2d6",
        "Triton Inference Server",
        _S,
        images="thetalabs/triton:24.07 thetalabs/triton:24.08",
        vms="vm_gv1",
        port=8000,
    ),
    _template(
        "img_b7rde856fn3i66tmity2btdb7oir",
        "Hugging Face Model",
        _S,
        images="thetalabs/hf-endpoint:0.9",
        vms="vm_gt1",
        port=8080,
        env={"MODEL_ID": ""},
        needs_env=True,
        about="Any model of the hub: say which by MODEL_ID.",
    ),
    _template(
        "img_934wwsu6dr45mxwqgx94wttxymgq",
        "Feature Server",
        _S,
        images="thetalabs/feature-server:2.1",
        vms="vm_c1",
        port=6566,
    ),
)

CUSTOM: Final[Mapping[str, Any]] = {
    **_template(
        "img_yrkdpl3e9347f4bm2ns1mhttvjg0", "Churn Scorer", _S, images="acme/churn-scorer:3", vms="", port=8080
    ),
    "project_id": PROJECT,
    "suggested_vms": None,
}


def find_template(tx: Tx, template_id: str, project: str, *, any_project: bool) -> dict[str, Any] | None:
    """A standard template, or a custom one of this project."""
    standard = next((item for item in STANDARD if item["id"] == template_id), None)
    if standard is not None:
        return standard
    custom = tx.get("theta-template", template_id)
    if custom is not None and (custom["project_id"] == project or any_project):
        return custom
    return None
