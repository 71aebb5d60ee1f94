"""Ask a server all that KServe's own client can ask: `kserve_client.py BASE_URL MODEL <rows.json`; prints JSON.

It runs in an environment of its own, where nothing of Weir is installed.
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


def ask_for(model: str, rows: list[Any], *, binary: bool, outputs: list[str]) -> InferRequest:
    """Make a request: tensors inside the JSON or behind it; all outputs, or those that are named."""
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


async def answer_of(client: InferenceRESTClient, url: str, asked: InferRequest) -> dict[str, Any]:
    """Tell what came back."""
    headers: dict[str, str] = {}
    found = await client.infer(url, asked, model_name=asked.model_name, response_headers=headers)
    return {
        "id": found.id,
        "model": found.model_name,
        "binary": "inference-header-content-length" in headers,
        "outputs": {output.name: output.as_numpy().tolist() for output in found.outputs},
    }


async def refusal_of(client: InferenceRESTClient, url: str, asked: InferRequest) -> str:
    """Tell what the client's exception says."""
    try:
        await client.infer(url, asked, model_name=asked.model_name)
    except httpx.HTTPStatusError as exc:
        return str(exc)
    return ""


async def main(url: str, model: str, rows: list[Any]) -> dict[str, Any]:
    """Ask everything."""
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=60)) as client:
        return {
            "live": await client.is_server_live(url),
            "ready": await client.is_server_ready(url),
            "model_ready": await client.is_model_ready(url, model),
            "nobody_ready": await client.is_model_ready(url, "nobody"),
            "answers": [
                await answer_of(client, url, ask_for(model, rows, binary=binary, outputs=outputs))
                for binary in (False, True)
                for outputs in ([], ["probabilities", "label"])
            ],
            "unknown_model": await refusal_of(client, url, ask_for("nobody", rows, binary=True, outputs=[])),
            "wrong_shape": await refusal_of(client, url, ask_for(model, rows[0], binary=True, outputs=[])),
        }


if __name__ == "__main__":
    _, address, name = sys.argv
    print(json.dumps(asyncio.run(main(address, name, json.load(sys.stdin))), default=bytes.decode))
