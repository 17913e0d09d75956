"""Files sent through the Bot API: each has an id, and a path to download it from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bot.simulation.telegram.body import Upload
from bot.simulation.telegram.errors import ApiError, ApiRefusal

UPLOAD_MAX = 50 * 1024 * 1024  # bytes per file a bot may send
DOWNLOAD_MAX = 20 * 1024 * 1024  # bytes per file a bot may download
ATTACHED = "attach://"

_PREFIX = {"photo": "AgACAgQAAxk", "document": "BQACAgQAAxk", "sticker": "CAACAgQAAxk"}
_FOLDER = {"photo": "photos", "document": "documents", "sticker": "stickers"}


@dataclass(frozen=True, slots=True)
class StoredFile:
    kind: str
    number: int
    upload: Upload

    @property
    def file_id(self) -> str:
        return f"{_PREFIX[self.kind]}{self.number:013d}"

    @property
    def unique_id(self) -> str:
        return f"AgAD{self.number:010d}"

    @property
    def path(self) -> str:
        ending = PurePosixPath(self.upload.name).suffix
        return f"{_FOLDER[self.kind]}/file_{self.number}{ending}"

    def shown(self) -> dict[str, Any]:
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.upload.data),
        }


class Files:
    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}

    def add(self, kind: str, upload: Upload) -> StoredFile:
        if not upload.data:
            raise ApiError(ApiRefusal.FILE_EMPTY)
        if len(upload.data) > UPLOAD_MAX:
            raise ApiError(ApiRefusal.TOO_LARGE)
        stored = StoredFile(kind, len(self._by_id) + 1, upload)
        self._by_id[stored.file_id] = stored
        self._by_path[stored.path] = stored
        return stored

    def given(self, kind: str, given: Upload | str) -> StoredFile:
        """The file a call sends: a new one, or one named by its id. Raises ``ApiError``."""
        if isinstance(given, Upload):
            return self.add(kind, given)
        if not given or given.startswith(ATTACHED):  # names a part that is missing
            raise ApiError(ApiRefusal.NO_FILE, kind=kind)
        if given.startswith(("http://", "https://")):  # nothing outside can be reached from here
            raise ApiError(ApiRefusal.NO_HTTP_CONTENT)
        stored = self._by_id.get(given)
        if stored is None:
            raise ApiError(ApiRefusal.WRONG_FILE_ID)
        if stored.kind != kind:
            is_a, wanted = stored.kind.capitalize(), kind.capitalize()
            raise ApiError(ApiRefusal.WRONG_FILE_TYPE, is_a=is_a, wanted=wanted)
        return stored

    def described(self, file_id: str) -> dict[str, Any]:
        """``getFile``. Raises ``ApiError``."""
        stored = self._by_id.get(file_id)
        if stored is None:
            raise ApiError(ApiRefusal.INVALID_FILE_ID)
        if len(stored.upload.data) > DOWNLOAD_MAX:
            raise ApiError(ApiRefusal.FILE_TOO_BIG)
        return {**stored.shown(), "file_path": stored.path}

    def at(self, path: str) -> Upload:
        """The file at ``file_path``. Raises ``ApiError``."""
        stored = self._by_path.get(path)
        if stored is None:
            raise ApiError(ApiRefusal.NO_SUCH_FILE)
        return stored.upload
