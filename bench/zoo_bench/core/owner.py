"""Which process on which host does something, and whether it is still there."""

from __future__ import annotations

import os
import socket
from functools import cache

import psutil
from pydantic import BaseModel, ConfigDict, Field

SAME_START_SECONDS = 2.0
"""Systems give the start of one process with errors below this."""


class Owner(BaseModel):
    """A process, named so that another with the same number is not taken for it."""

    model_config = ConfigDict(frozen=True)

    host: str = Field(description="Name of the host")
    pid: int = Field(gt=0, lt=2**31, description="Number of the process")
    begun: float = Field(description="When it was started, in seconds since 1970")

    def is_gone(self) -> bool | None:
        """Return whether the process has ended; None if it is on another host, where nobody can see."""
        if self.host != socket.gethostname():
            return None
        try:
            return abs(psutil.Process(self.pid).create_time() - self.begun) > SAME_START_SECONDS
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@cache
def _this(pid: int) -> Owner:
    return Owner(host=socket.gethostname(), pid=pid, begun=psutil.Process(pid).create_time())


def this_process() -> Owner:
    """Return the process that calls this."""
    return _this(os.getpid())
