import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

from regraft.backbones import hub
from regraft.backbones.hub import WeightsUnavailable, fetched

pytest.importorskip("timm")
PATH = "/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"

ASK = """
import json, sys
import torch
from regraft.backbones.timm import WeightsUnavailable, with_classifier
phi, classifier = with_classifier("test_resnet")
x = torch.arange(2 * 3 * 64 * 64).reshape(2, 3, 64, 64).remainder(251).to(torch.uint8)
z = phi.eval()(x)
told = {"features": z.tolist(), "logits": classifier(z).tolist(), "line": phi.licence_line, "spec": phi.spec}
try:
    with_classifier("test_vit")
except WeightsUnavailable as reason:
    told["refused"] = str(reason)
print(json.dumps(told))
"""


class Hub(BaseHTTPRequestHandler):
    """One repository with weights as safetensors; of others it has only what is not."""

    content = b""

    def do_HEAD(self):
        there = self.path == PATH
        self.send_response(200 if there or self.path == "/" else 404)
        if there:
            self.send_header("ETag", '"5f596bea"')
            self.send_header("Content-Length", str(len(self.content)))
        elif self.path != "/":
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        if self.path == PATH:
            self.wfile.write(self.content)

    def log_message(self, *_):
        """Quietly."""


@pytest.fixture
def served():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_weights_arrive_and_only_safetensors_do(served, tmp_path, monkeypatch):
    import timm

    net = timm.create_model("test_resnet").eval()
    monkeypatch.setattr(Hub, "content", save(net.state_dict()))
    own = {"HF_ENDPOINT": served, "HF_HOME": str(tmp_path), "no_proxy": "*", "HF_HUB_DISABLE_TELEMETRY": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", ASK], env={**os.environ, **own}, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    x = torch.arange(2 * 3 * 64 * 64).reshape(2, 3, 64, 64).remainder(251) / 255
    mean, std = (torch.tensor(net.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    with torch.no_grad():
        torch.testing.assert_close(torch.tensor(told["logits"]), net((x - mean) / std), rtol=1e-4, atol=1e-4)
    assert told["line"] == "timm/test_resnet.r160_in1k; licence: apache-2.0"
    assert told["spec"]["architecture"] == "test_resnet.r160_in1k"
    assert "has no model.safetensors, and other formats can execute code" in told["refused"]
    assert "--weights FILE" in told["refused"]


@pytest.fixture
def constants(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return constants


def test_without_a_network_it_says_so_at_once(constants, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        WeightsUnavailable, match=r"weights of owls cannot be had .* pass a local safetensors"
    ):
        fetched("timm/owls", "owls")


def test_a_hub_that_does_not_answer_is_not_waited_for(constants, monkeypatch):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(hub, "SECONDS", 0.2)
        begun = time.monotonic()
        with pytest.raises(WeightsUnavailable, match="timed out"):
            fetched("timm/owls", "owls")
        assert time.monotonic() - begun < 5


def test_offline_by_choice(constants, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsUnavailable, match="HF_HUB_OFFLINE is set"):
        fetched("timm/owls", "owls")
