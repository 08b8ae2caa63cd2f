"""A store that is only looked at: what would be found there is found, and nothing is made, kept or touched."""

import asyncio
import hashlib
from pathlib import Path

from picturelock.errors import AssetMissing
from picturelock.models import ArtifactRef, Asset, Model
from picturelock.store.hashing import sha256_of
from picturelock.store.objects import AnyModel
from picturelock.store.store import Store, blob_path


class NotMade(Exception):
    """What is asked for would have to be made; nobody is to be told of it but whoever only looks."""


class Lookup(Store):
    """One store, to look at. Files that are put are known to it alone, by their hash, where they lie on this machine.

    Example:
        lookup = Lookup(settings.store_location, settings.scratch)
        lookup.may_make("narration")  # raises NotMade
    """

    def __init__(self, location: str, scratch: Path) -> None:
        super().__init__(location, scratch)
        self._files: dict[str, Path] = {}
        self._assets: dict[str, Asset] = {}

    def may_make(self, kind: str) -> None:
        """Raises NotMade."""
        raise NotMade(kind)

    async def has(self, ref: ArtifactRef) -> bool:
        """Whether the file is there, in full length; its bytes are not read, and a damaged one stays where it is."""
        if ref.sha256 in self._files:
            return True
        if self._root is None:
            return await super().has(ref)
        try:
            return blob_path(self._root, ref).stat().st_size == ref.size_bytes
        except OSError:
            return False

    async def put_file(self, path: Path, media_type: str, *, always: bool = False) -> ArtifactRef:  # noqa: ARG002
        """What the file's reference is."""
        digest = await asyncio.to_thread(sha256_of, path)
        self._files[digest] = path
        return ArtifactRef(sha256=digest, size_bytes=path.stat().st_size, media_type=media_type)

    async def put_bytes(self, data: bytes, media_type: str) -> ArtifactRef:
        """What their reference is."""
        return ArtifactRef(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), media_type=media_type)

    async def put_note(self, path: str, data: bytes) -> None:
        """Keeps nothing."""

    async def put_asset(self, asset: Asset) -> None:
        """Takes note of what a file of this machine is."""
        self._assets[asset.asset_id] = asset

    async def find_asset(self, asset_id: str) -> Asset | None:
        """What an uploaded file, or one of this machine, was found to be."""
        return self._assets.get(asset_id) or await super().find_asset(asset_id)

    async def recall(self, kind: str, key: str, model: type[AnyModel], *, touch: bool = False) -> AnyModel | None:
        """What a cache key was turned into; it grows no younger."""
        return await super().recall(kind, key, model, touch=touch)

    async def remember(self, kind: str, key: str, value: Model) -> None:
        """Keeps nothing."""

    async def local(self, ref: ArtifactRef, hardlink_into: Path | None = None) -> Path:
        """Where a file can be read: on this machine, or as in any store."""
        if (path := self._files.get(ref.sha256)) is not None and path.exists():
            return path
        return await super().local(ref, hardlink_into)

    async def asset(self, asset_id: str) -> tuple[Asset, ArtifactRef]:
        """An uploaded file, or one of this machine. Raises AssetMissing."""
        found = self._assets.get(asset_id)
        if found is None:
            return await super().asset(asset_id)
        path = self._files.get(asset_id.removeprefix("sha256-"))
        if path is None:
            raise AssetMissing(f"there is no asset {asset_id}")
        return found, ArtifactRef(sha256=sha256_of(path), size_bytes=found.size_bytes, media_type=found.media_type)
