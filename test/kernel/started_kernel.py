"""Starts a kernel for a test, and ends it."""

import contextlib
import subprocess

from jupyter_client import KernelManager


@contextlib.contextmanager
def started_kernel(name, cwd):
    """Yields the manager and a client of a kernel that is ready."""
    manager = KernelManager(kernel_name=name)
    manager.start_kernel(cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=300)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
