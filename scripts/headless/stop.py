"""What Ctrl-C and SIGTERM do while notebooks run."""

import asyncio
import contextlib
import signal
import time

from .problem import Interrupted

# How long an interrupted cell may take to come to an end: a batch and the saving of a model.
GRACE_S = 60
# A terminal sends Ctrl-C to every process, and npm and node pass theirs on: the echoes are not a second request.
ECHO_S = 1


class Stop:
    """Interrupts the cells that run at the first Ctrl-C, and ends them at the next one, at SIGTERM, or after a while."""

    def __init__(self, clients, progress):
        self.clients = clients
        self.progress = progress
        # The signal that asked for it, if one did.
        self.number = None

    @contextlib.contextmanager
    def handled(self):
        """Handles signals meanwhile. Raises Interrupted after one that came while no notebook ran."""
        self.task, self.loop = asyncio.current_task(), asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            self.loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        except asyncio.CancelledError:
            if self.number is None:
                raise
            raise Interrupted(self.number) from None
        finally:
            for number in signals:
                self.loop.remove_signal_handler(number)

    def _stop(self, number):
        now = time.monotonic()
        if self.number is None:
            self.number, self.stopped_at = number, now
            running = self._running()
            if any([client.interrupt(number) for client in running]):
                self.progress.write("\ninterrupted: waiting for the cell to end; Ctrl-C again ends it at once")
                self.loop.call_later(GRACE_S, self._end)
            elif not running:
                self.task.cancel()
        elif now - self.stopped_at >= ECHO_S or number != signal.SIGINT:
            self._end()

    def _end(self):
        for client in self._running():
            client.kill()

    def _running(self):
        return [client for client in self.clients if client.is_running]
