"""The domain of Picturelock: scripts, speech, composition, rendering and job status, without Temporal or HTTP."""

__version__ = "0.1.0"
