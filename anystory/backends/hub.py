"""Files from the Hugging Face Hub, and a sentence for everything that can stand in the way. No torch here.

What is in the cache is used as it is; `HF_TOKEN`, `HF_HOME`, `HF_ENDPOINT` and `HF_HUB_OFFLINE` mean what they always
do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, auth_check, constants, snapshot_download
from huggingface_hub.errors import (
    DryRunError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import get_token

from anystory.backends.base import BackendError, DownloadError, agreed
from anystory.backends.files import whole
from anystory.errors import Message


@dataclass(frozen=True)
class Repository:
    """The files of one repository that are needed: `patterns` in the manner of a shell, `required` names that must be
    there, each a file or the folder of a part, whole."""

    name: str
    patterns: tuple[str, ...]
    required: tuple[str, ...]


CHECKPOINT = "anystory_flux.bin"

FLUX = (
    Repository(
        "black-forest-labs/FLUX.1-dev",
        patterns=tuple(
            f"{part}/*"
            for part in (
                "scheduler",
                "text_encoder",
                "text_encoder_2",
                "tokenizer",
                "tokenizer_2",
                "transformer",
                "vae",
            )
        ),
        required=("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "transformer", "vae"),
    ),
    Repository(
        "black-forest-labs/FLUX.1-Redux-dev",
        patterns=("image_encoder/*", "image_embedder/*"),
        required=("image_encoder", "image_embedder"),
    ),
    Repository("Junjie96/AnyStory", patterns=(CHECKPOINT,), required=(CHECKPOINT,)),
)
"""What `--backend flux` downloads: 34 GB."""

_PARTS = ("scheduler", "text_encoder", "tokenizer", "transformer", "vae")

KLEIN = (Repository("black-forest-labs/FLUX.2-klein-4B", tuple(f"{part}/*" for part in _PARTS), _PARTS),)
"""What `--backend klein` downloads: 16 GB."""


def fetch(
    repositories: Sequence[Repository],
    tell: Callable[[str], None] = lambda _: None,
    agree: Callable[[str], bool] = agreed,
) -> list[Path]:
    """The folders of `repositories` on this computer, downloaded where they are not, if `agree` answers yes to the
    question and after `tell` was given a sentence that says so. Raises DownloadError where it answers no, and
    BackendError with a sentence, before the first byte where the disk is too small."""
    folders = {repository.name: _cached(repository) for repository in repositories}
    missing = [repository for repository in repositories if folders[repository.name] is None]
    needed = _ask(missing, agree)
    if missing:
        tell(
            Message(
                "Downloading {size} ({names}) to '{folder}', once; stop and go on as you like.",
                size=_size(needed),
                names=", ".join(repository.name for repository in missing),
                folder=Path(constants.HF_HUB_CACHE),
            )
        )
    for repository in missing:
        folders[repository.name] = _download(repository)
    return [folder for repository in repositories if (folder := folders[repository.name]) is not None]


def ask(repositories: Sequence[Repository], agree: Callable[[str], bool]) -> None:
    """Raise what `fetch` would before its first byte: DownloadError where `agree` answers no, and BackendError."""
    _ask([repository for repository in repositories if _cached(repository) is None], agree)


def _ask(missing: Sequence[Repository], agree: Callable[[str], bool]) -> int:
    """How many bytes the download of what is `missing` has, which is possible and to which `agree` answers yes."""
    needed = sum(_bytes_to_download(repository) for repository in missing)
    _check_space(needed)
    names, folder = ", ".join(repository.name for repository in missing), constants.HF_HUB_CACHE
    if missing and not agree(f"Download {_size(needed)} ({names}) to {folder!r}, once?"):
        raise DownloadError(
            Message(
                "{names} must be downloaded first, {size} to {folder}, and nobody has agreed to it; say "
                "--download, or on the page choose what draws and agree there.",
                names=names,
                size=_size(needed),
                folder=Path(folder),
            )
        )
    return needed


def cached(repositories: Sequence[Repository]) -> bool:
    """Whether `fetch` has nothing to download. Asks nobody."""
    return all(_cached(repository) is not None for repository in repositories)


def granted(repositories: Sequence[Repository]) -> bool:
    """Whether `fetch` may download all of `repositories`, or has them. Asks the Hub, and downloads nothing."""
    try:
        for repository in repositories:
            if _cached(repository) is None:
                auth_check(repository.name)
    except (HfHubHTTPError, HTTPError, OSError):  # gated, no token or a wrong one, no network
        return False
    return True


def fetch_file(name: str, file: str, suffix: str) -> Path:
    """One file of the repository `name`: `file`, or for "" the only one that ends in `suffix`. Errors as in `fetch`."""
    if not file:
        with suppress(LocalEntryNotFoundError, HFValidationError):
            folder = Path(snapshot_download(name, allow_patterns=f"*{suffix}", local_files_only=True))
            cached = sorted(folder.rglob(f"*{suffix}"))
            if len(cached) == 1:
                return cached[0]
        try:
            files = [path for path in HfApi().list_repo_files(name) if path.endswith(suffix)]
        except Exception as error:
            raise _explained(name, error, begun=False) from error
        if len(files) != 1:
            has = Message("has several: {files}", files=", ".join(files[:6])) if files else Message("has none")
            raise BackendError(
                Message(
                    "{name} should have one {suffix} file and {has}; name one as {name}/FILE.",
                    name=name,
                    suffix=suffix,
                    has=has,
                )
            )
        file = files[0]
    return fetch([Repository(name, (file,), (file,))])[0] / file


def _cached(repository: Repository) -> Path | None:
    """The folder of a repository that is whole in the cache."""
    try:
        folder = Path(
            snapshot_download(repository.name, allow_patterns=list(repository.patterns), local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise _explained(repository.name, error, begun=False) from error
    return folder if all(_present(folder / name) for name in repository.required) else None


def _present(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and whole(path))


def _bytes_to_download(repository: Repository) -> int:
    try:
        plan = snapshot_download(repository.name, allow_patterns=list(repository.patterns), dry_run=True)
    except Exception as error:
        raise _explained(repository.name, error, begun=False) from error
    names = [file.filename for file in plan]
    for name in repository.required:
        if not any(fnmatch(file, name) or file.startswith(f"{name}/") for file in names):
            raise BackendError(
                Message(
                    "{repository} at {host} has no {name}; this is not the repository it should be.",
                    repository=repository.name,
                    host=_host(),
                    name=name,
                )
            )
    return sum(file.file_size or 0 for file in plan if file.will_download)


def _check_space(needed: int) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    there = next(path for path in (cache, *cache.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise BackendError(
            Message(
                "The download takes {size} and '{folder}' has {free} free; make room there, or set HF_HOME to a folder "
                "on a larger disk.",
                size=_size(needed),
                folder=there,
                free=_size(free),
            )
        )


def _download(repository: Repository) -> Path:
    try:
        return Path(snapshot_download(repository.name, allow_patterns=list(repository.patterns)))
    except Exception as error:
        raise _explained(repository.name, error, begun=True) from error


def _explained(name: str, error: Exception, *, begun: bool) -> BackendError:
    """The sentence for what went wrong with the repository `name`, before or after its download had `begun`."""
    wrapped = isinstance(error, DryRunError | LocalEntryNotFoundError) and error.__cause__ is not None
    cause = error.__cause__ if wrapped else error
    status = cause.response.status_code if isinstance(cause, HfHubHTTPError) else None
    page, tokens, host = f"{constants.ENDPOINT}/{name}", f"{constants.ENDPOINT}/settings/tokens", _host()
    if isinstance(cause, HFValidationError):
        said = Message(
            "{name} is not the name of a repository on the Hugging Face Hub; such names read owner/name.",
            name=repr(name),
        )
    elif isinstance(cause, GatedRepoError) and get_token() is None:
        said = Message(
            "{name} is given to people with a Hugging Face account who accepted its licence: accept it on {page}, "
            "make a token on {tokens}, and set HF_TOKEN to it.",
            name=name,
            page=page,
            tokens=tokens,
        )
    elif isinstance(cause, GatedRepoError):
        said = Message(
            "Your Hugging Face account has not accepted the licence of {name}; accept it on {page}.",
            name=name,
            page=page,
        )
    elif isinstance(cause, RepositoryNotFoundError):
        key = Message("without a token (HF_TOKEN)") if get_token() is None else Message("to your token")
        said = Message(
            "There is no repository {name} at {host}, or it does not open {key}.", name=name, host=host, key=key
        )
    elif status == 401:
        said = Message(
            "The Hugging Face token is not valid; make a new one on {tokens} and set HF_TOKEN to it.", tokens=tokens
        )
    elif status is not None and status // 100 == 4:
        said = Message(
            "{host} refuses {name} ({status}); check that your token may read it.", host=host, name=name, status=status
        )
    elif isinstance(error, OSError) and error.errno is not None and begun:  # the disk's, not the network's
        said = Message(
            "{name} cannot be written to '{folder}': {strerror}.",
            name=name,
            folder=Path(constants.HF_HUB_CACHE),
            strerror=error.strerror,
        )
    elif isinstance(cause, HTTPError | OSError) and begun:
        said = Message(
            "The download of {name} from {host} broke off; try again: files that arrived whole are kept.",
            name=name,
            host=host,
        )
    elif isinstance(cause, HTTPError | OSError):
        said = Message(
            "{name} is not, or not wholly, on this computer and {host} cannot be reached; connect and try again, or "
            "give a folder that has the model with --model.",
            name=name,
            host=host,
        )
    else:
        said = Message("{name} cannot be downloaded from {host}: {cause}", name=name, host=host, cause=cause)
    return BackendError(said)


def _host() -> str:
    return constants.ENDPOINT.partition("://")[2]


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
