"""Send every kind of request that KServe's client has: `kserve_client.py BASE_URL MODEL PROTOCOL <rows.json`.

It prints the answers as JSON. PROTOCOL is v1 or v2.

It runs in an environment of its own, without Weir.
"""
# mypy: disable-error-code="import-not-found"

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


def make_request(model: str, rows: list[Any], *, binary: bool, outputs: list[str]) -> InferRequest:
    """Make a request: tensors in the JSON or after it; all outputs, or the named ones."""
    values = np.array(rows, np.float32)
    image = InferInput(name="image", shape=list(values.shape), datatype="FP32")
    image.set_data_from_numpy(values, binary_data=binary)
    return InferRequest(
        model_name=model,
        infer_inputs=[image],
        request_id="ours",
        parameters={"binary_data_output": True} if binary and not outputs else None,
        request_outputs=[RequestedOutput(name, {"binary_data": binary}) for name in outputs] or None,
    )


async def answer_to(client: InferenceRESTClient, url: str, request: InferRequest) -> dict[str, Any]:
    """Send a request and return its answer."""
    headers: dict[str, str] = {}
    answer = await client.infer(url, request, model_name=request.model_name, response_headers=headers)
    return {
        "id": answer.id,
        "model": answer.model_name,
        "binary": "inference-header-content-length" in headers,
        "outputs": {output.name: output.as_numpy().tolist() for output in answer.outputs},
    }


async def error_of(client: InferenceRESTClient, url: str, request: InferRequest | dict[str, Any], model: str) -> str:
    """Send a request that fails and return the message of the client's exception."""
    try:
        await client.infer(url, request, model_name=model)
    except httpx.HTTPStatusError as exc:
        return str(exc)
    return ""


async def v1(url: str, model: str, rows: list[Any]) -> dict[str, Any]:
    """Send all requests of V1 and collect the answers."""
    async with InferenceRESTClient(RESTConfig(protocol="v1", retries=0, timeout=60)) as client:
        return {
            "live": await client.is_server_live(url),
            "model_ready": await client.is_model_ready(url, model),
            "answers": [
                await client.infer(url, body, model_name=model)
                for body in ({"instances": rows}, {"instances": [{"image": row} for row in rows]}, {"inputs": rows})
            ],
            "unknown_model": await error_of(client, url, {"instances": rows}, "nobody"),
            "wrong_shape": await error_of(client, url, {"instances": rows[0]}, model),
            "nobody_ready": await readiness_error(client, url),
        }


async def readiness_error(client: InferenceRESTClient, url: str) -> str:
    """Ask whether an unknown model is ready and return the message of the client's exception."""
    try:
        await client.is_model_ready(url, "nobody")
    except httpx.HTTPStatusError as exc:
        return str(exc)
    return ""


async def v2(url: str, model: str, rows: list[Any]) -> dict[str, Any]:
    """Send all requests of V2 and collect the answers."""
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=60)) as client:
        return {
            "live": await client.is_server_live(url),
            "ready": await client.is_server_ready(url),
            "model_ready": await client.is_model_ready(url, model),
            "nobody_ready": await client.is_model_ready(url, "nobody"),
            "answers": [
                await answer_to(client, url, make_request(model, rows, binary=binary, outputs=outputs))
                for binary in (False, True)
                for outputs in ([], ["probabilities", "label"])
            ],
            "unknown_model": await error_of(
                client, url, make_request("nobody", rows, binary=True, outputs=[]), "nobody"
            ),
            "wrong_shape": await error_of(client, url, make_request(model, rows[0], binary=True, outputs=[]), model),
        }


if __name__ == "__main__":
    _, address, name, protocol = sys.argv
    ask = {"v1": v1, "v2": v2}[protocol]
    print(json.dumps(asyncio.run(ask(address, name, json.load(sys.stdin))), default=bytes.decode))
