"""One window for each user and data folder: a later start hands its files over to the first one.

The first start holds a lock, which the system releases however the process ends, and listens on a
socket of the user's own. A start that finds the lock taken sends its paths there and ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QObject, Signal

PATIENCE = 30.0  # seconds for the first window to open, to answer, or to finish closing
RETRY = 0.1  # seconds
LONGEST = 1_000_000  # bytes of a message
ACCEPTED = b"ok\n"
TOKEN = "XDG_ACTIVATION_TOKEN"  # permits a window to come to the front under Wayland


class Instance(QObject):
    """The claim of this process to be the first one for `config` and `data`.

    Emits `requested(paths)` when a later start hands over; its window then comes to the front.
    """

    requested = Signal(list)

    def __init__(self, config: Path, data: Path) -> None:
        super().__init__()
        key = hashlib.sha256(f"{config.resolve()}\0{data.resolve()}".encode()).hexdigest()[:16]
        self.address = _address(key)
        self._server: Any = None
        with contextlib.suppress(OSError):
            config.mkdir(parents=True, exist_ok=True)
        self._lock = QLockFile(str(config / f"instance-{key}.lock"))
        self._lock.setStaleLockTime(0)

    def claim(self) -> bool:
        """Returns True if this is the first one, also where no lock can be written."""
        if self._lock.isLocked() or self._lock.tryLock(0):
            return True
        if self._lock.error() != QLockFile.LockError.LockFailedError:
            return True
        return self._lock.removeStaleLockFile() and self._lock.tryLock(0)

    def hand_over(self, paths: Sequence[Path], patience: float = PATIENCE) -> bool:
        """Sends `paths` to the first one. Returns False if it does not answer, or has ended
        meanwhile: then `claim()` is True.
        """
        given = {"paths": [str(path.absolute()) for path in paths], "token": os.environ.get(TOKEN)}
        message = json.dumps(given).encode() + b"\n"
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if _send(self.address, message, end):
                return True
            if self.claim():
                return False
            time.sleep(RETRY)
        return False

    def listen(self) -> None:
        """Accepts what later starts hand over."""
        from PySide6.QtNetwork import QLocalServer

        QLocalServer.removeServer(self.address)  # left by a process that crashed
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        self._server.listen(self.address)

    def close(self) -> None:
        """Listens no more; the lock is held until `release`."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def release(self) -> None:
        """Lets another start be the first one."""
        self.close()
        self._lock.unlock()

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(partial(self._on_message, socket))
            socket.disconnected.connect(socket.deleteLater)
            self._on_message(socket)

    def _on_message(self, socket: Any) -> None:
        if not socket.canReadLine():
            if socket.bytesAvailable() > LONGEST:
                socket.abort()
            return
        given = _read(bytes(socket.readLine(LONGEST).data()))
        if given is None:
            socket.abort()
            return
        socket.write(ACCEPTED)
        socket.flush()
        if given["token"]:
            os.environ[TOKEN] = given["token"]
        self.requested.emit([Path(path) for path in given["paths"]])


def _address(key: str) -> str:
    """Returns the name of the socket: a file in the user's folder for such files, or a pipe."""
    if os.name == "nt":
        return f"llm-explorer-{os.environ.get('USERNAME', '')}-{key}"
    name = f"llm-explorer-{os.getuid()}-{key}"
    folder = os.environ.get("XDG_RUNTIME_DIR")
    return str(Path(folder if folder and os.path.isdir(folder) else tempfile.gettempdir()) / name)


def _send(address: str, message: bytes, end: float) -> bool:
    """Returns True if the message was accepted before `end`."""
    from PySide6.QtNetwork import QLocalSocket

    if os.name != "nt":
        with contextlib.suppress(OSError):
            if os.stat(address).st_uid != os.getuid():  # somebody else's
                return False
    socket = QLocalSocket()
    socket.connectToServer(address)
    if not socket.waitForConnected(_left(end)):
        return False
    socket.write(message)
    while time.monotonic() < end:
        if socket.bytesAvailable() >= len(ACCEPTED):
            return bytes(socket.readAll().data()) == ACCEPTED
        if not socket.waitForReadyRead(_left(end)):
            return False
    return False


def _left(end: float) -> int:
    return max(1, int(1000 * (end - time.monotonic())))


def _read(line: bytes) -> dict[str, Any] | None:
    """Returns paths and token of a message, or None if it is none."""
    try:
        given = json.loads(line)
        paths, token = given["paths"], given.get("token")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return None
    return {"paths": paths, "token": token if isinstance(token, str) else None}
