"""The Hugging Face hub with one repository, on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

NAME = "somebody/tiny"


class Hub(ThreadingHTTPServer):
    """Serves a folder as the repository NAME; breaks the line after `cut_at` bytes of a file."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.revision = "a1" * 20
        self.cut_at: int | None = None
        self.changes: dict[str, Any] = {}
        self.asked: list[tuple[str, str | None]] = []

    def listing(self) -> dict[str, Any]:
        siblings = []
        for path in sorted(self.folder.iterdir()):
            about: dict[str, Any] = {"rfilename": path.name, "size": path.stat().st_size}
            if path.suffix in (".safetensors", ".bin"):
                about["lfs"] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            siblings.append(about)
        siblings += [{"rfilename": "onnx/model.onnx", "size": 3}, {"size": 3}, 7]
        return {"sha": self.revision, "siblings": siblings, **self.changes}

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub, wanted = self.server, self.headers.get("Range")
        if self.path == f"/api/models/{NAME}?blobs=true":
            content = json.dumps(hub.listing()).encode()
        elif self.path.startswith(f"/{NAME}/resolve/{hub.revision}/"):
            content = (hub.folder / Path(self.path).name).read_bytes()
            hub.asked.append((Path(self.path).name, wanted))
        else:
            self.send_error(401)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : hub.cut_at])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving_hub(folder: Path) -> Iterator[Hub]:
    """Serves what lies in a folder, where the program looks for the hub."""
    with Hub(folder) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{made.server_port}/")
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()
