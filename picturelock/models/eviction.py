"""What one run of the cache's eviction did."""

from picturelock.models.base import Model


class Eviction(Model):
    """What one run did."""

    cached_bytes: int = 0
    forgotten: int = 0
    deleted: int = 0
    deleted_bytes: int = 0
    assets: int = 0
    films: int = 0
