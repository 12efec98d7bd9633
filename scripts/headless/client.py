"""nbclient, made to say which cell failed and why, and to be interrupted without loss."""

import asyncio
import contextlib
import re
import shutil
import signal
import tempfile

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_output

from .cells import cell_numbers, is_executed
from .failure import cell_failure, last_traceback
from .parameters import has_tag
from .problem import InputProblem, Interrupted
from .progress import cell_title
from .results import Cell

# Tags the cell after which the next notebook may start: this one has then left all that later ones need.
STARTS_NEXT = "starts-next"
DOCTOR = "Run: npm run doctor"
# How long what cells left behind may take after the last cell, in seconds, and the code that waits for it in the kernel.
LATE_S = 10
SETTLE = "await (globalThis as any).ferkitKernel.settled({});"
# What the kernel calls the failure of a cell while which an earlier one failed.
LATE_ERROR = "LateError"


class HeadlessClient(NotebookClient):
    """Executes one notebook; the outputs of a cell that fails stay in it, with the error as the last of them."""

    def __init__(self, notebook, folder, name, progress, timeout):
        super().__init__(
            notebook,
            kernel_name="tslab",
            # Where the kernel starts, and looks for the project around it.
            resources={"metadata": {"path": str(folder)}},
            timeout=timeout,
            # A busy machine takes its time; a kernel that dies is noticed at once.
            startup_timeout=300,
            # Two runs must give the same bytes.
            record_timing=False,
            # Its default gives up on late outputs, silently.
            iopub_timeout=60,
            raise_on_iopub_timeout=True,
            on_cell_executed=self._check_status,
        )
        self.name = name
        self.running = None
        self.progress = progress
        numbers = cell_numbers(notebook)
        self.total = max(numbers.values(), default=0)
        self.result_of = {i: Cell(number, cell_title(notebook, i)) for i, number in numbers.items()}
        self.results = list(self.result_of.values())
        # The signal that stopped this notebook, and whether it was ended because one before it failed.
        self.stop_signal, self.is_abandoned = None, False
        # The notebook has left what later ones need.
        self.may_start_next = asyncio.Event()
        self.cells_by_request = {}
        self.num_timers = 0
        # What the kernel's last reply said of an earlier cell.
        self.late = None
        self.log_file = tempfile.TemporaryFile()
        seconds = LATE_S if timeout is None else min(LATE_S, timeout / 2)
        self.settle = SETTLE.format(seconds * 1000)

    async def run(self):
        """Raises CellFailure, Interrupted, or what jupyter_client raises when the kernel does not start."""
        self.running = asyncio.current_task()
        try:
            with self.log_file:
                await self.async_execute()
                self._report_timers()
            self.may_start_next.set()
        except (Exception, asyncio.CancelledError):
            if self.stop_signal is None:
                raise
        finally:
            await self.end()  # nbclient leaves a kernel that was still starting
        if self.stop_signal is not None:
            raise Interrupted(self.stop_signal)

    def codes(self):
        """Returns the code of each cell that will be executed."""
        return [*(self.nb.cells[i].source for i in self.result_of), self.settle]

    async def start_ahead(self):
        """Starts the kernel's process, which gets ready while another notebook runs."""
        self.km = self.create_kernel_manager()
        await self.async_start_new_kernel(stdout=self.log_file, stderr=self.log_file)

    async def end(self):
        """Ends the kernel, if there is one."""
        if self.km is not None and self.km.has_kernel:
            await self.km.shutdown_kernel(now=True)

    async def async_start_new_kernel(self, **kwargs):
        try:
            # A kernel looks for its parent between its tasks; Linux ends even one whose cell never pauses.
            tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
            self.km.kernel_spec.argv = [*tied, *self.km.kernel_spec.argv]
            await super().async_start_new_kernel(**kwargs)
        except NoSuchKernel:
            raise InputProblem("the kernel tslab", "none of this name", fix=DOCTOR) from None

    @contextlib.asynccontextmanager
    async def async_setup_kernel(self):
        """Uses the kernel that was started. nbclient would handle signals, and end the kernel without an interrupt: see Stop."""
        await self.async_start_new_kernel_client()
        try:
            yield
        finally:
            await self._async_cleanup_kernel()

    async def async_start_new_kernel_client(self):
        try:
            return await super().async_start_new_kernel_client()
        except RuntimeError as error:
            found = f"{error}\n{self._log_tail()}".strip()
            raise InputProblem("the kernel to start", found, fix=DOCTOR) from None

    async def async_execute_cell(self, cell, cell_index, **kwargs):
        """Raises CellFailure if the cell fails, or if an earlier one does while it runs, and Interrupted after a stop."""
        if not is_executed(cell):
            return cell
        if self.stop_signal is not None:
            raise Interrupted(self.stop_signal)
        result, self.late = self.result_of[cell_index], None
        try:
            async with self.progress.cell(self.name, result, self.total, self._outcome):
                await self._execute(cell, cell_index, **kwargs)
                if result is self.results[-1] and self.late is None:
                    await self._settle()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            message, details = await self._explain(error, cell, result.number)
            result.failure = cell_failure(self.name, result, cell, message, details)
        failure = self._late_failure() or result.failure
        if failure is not None:
            raise failure
        if has_tag(cell, STARTS_NEXT):
            self.may_start_next.set()
        return cell

    async def _execute(self, cell, cell_index, **kwargs):
        """Runs a cell. If it went well while an earlier one failed, `self.late` says so."""
        try:
            await super().async_execute_cell(cell, cell_index, **kwargs)
        except CellExecutionError as error:
            if self.late is None or error.ename != LATE_ERROR:
                raise

    async def _settle(self):
        """Waits for what cells left behind, such as timers. What fails there is in the kernel's reply, as after any cell."""
        cell = new_code_cell(self.settle)
        self.nb.cells.append(cell)  # nbclient writes to the notebook's cell
        try:
            await self._execute(cell, len(self.nb.cells) - 1)
        finally:
            self.nb.cells.pop()

    async def _explain(self, error, cell, number):
        """Returns what a cell failed with, and the stack or what the kernel said. Keeps an error that the kernel could not report."""
        if isinstance(error, CellExecutionError):
            # A type error has no stack: its traceback is the message again.
            details = last_traceback(cell) if error.ename != "TypeScriptError" else ""
            return f"{error.ename}: {error.evalue}", details
        if isinstance(error, CellTimeoutError):
            self.shutdown_kernel = "immediate"
            message, details = f"Timeout: {self._explain_timeout(error)}", ""
        else:
            message, details = await self._cause_of_death(), self._log_tail()
        if self.stop_signal is None:
            add_error(cell, number, message)
        return message, details

    def _late_failure(self):
        """Returns the failure of the earlier cell that the kernel's last reply spoke of, if it did."""
        if self.late is None:
            return None
        cell, cell_index = self.cells_by_request[self.late["request"]]
        result = self.result_of[cell_index]
        message = f"{self.late['ename']}: {self.late['evalue']}"
        details = "\n".join(self.late["traceback"])
        result.outcome = "failed"
        result.failure = cell_failure(self.name, result, cell, message, details, is_late=True)
        return result.failure

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        """Reads output until the cell is done; late output of an earlier cell goes to that cell."""
        self.cells_by_request[parent_msg_id] = (cell, cell_index)
        while True:
            msg = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
            parent = msg["parent_header"].get("msg_id")
            if parent not in self.cells_by_request:
                continue
            try:
                self.process_message(msg, *self.cells_by_request[parent])
            except CellExecutionComplete:
                if parent == parent_msg_id:
                    return

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] == "stream":
            self.progress.output(self.name, msg["content"]["text"])
        return super().process_message(msg, cell, cell_index)

    def output(self, outs, msg, display_id, cell_index):
        """
        Adds an output, and joins printed text to that before it. nbclient's coalesce_streams, which does this too, takes hours for a
        line of some million characters, during which no signal arrives.
        """
        output = super().output(outs, msg, display_id, cell_index)
        if output is None or output.output_type != "stream":
            return output
        before = outs[-2] if len(outs) > 1 else {}
        if before.get("output_type") == "stream" and before.name == output.name:
            outs.pop()
            before.text = printed_after(before.text, output.text)
            return before
        output.text = printed_after("", output.text)
        return output

    async def _check_status(self, cell, cell_index, execute_reply):
        # nbclient takes every status but "error" for a success.
        status = execute_reply["content"]["status"]
        self.num_timers = execute_reply["content"].get("numTimers", 0)
        self.late = execute_reply["content"].get("late")
        if status not in ("ok", "error"):
            reply = {"ename": "Aborted", "evalue": f"the kernel answered with status {status}", "traceback": []}
            add_error(cell, cell.execution_count, f"{reply['ename']}: {reply['evalue']}")
            raise CellExecutionError.from_cell_and_msg(cell, reply)

    def _report_timers(self):
        if self.num_timers > 0:
            timers = "a timer was" if self.num_timers == 1 else f"{self.num_timers} timers were"
            self.progress.write(
                f"\n{self.name}: {timers} still to fire when the notebook ended; what would be printed is lost. "
                "Await it in its cell.\n",
                self.name,
            )

    def _outcome(self):
        return "failed" if self.stop_signal is None else "interrupted"

    @property
    def is_running(self):
        return self.running is not None and not self.running.done()

    def interrupt(self, number):
        """Interrupts the cell that runs, after the signal `number`. Returns whether there is one."""
        self.stop_signal = number
        if number == signal.SIGINT and self.kc is not None:
            self.interrupting = asyncio.ensure_future(self.km.interrupt_kernel())
            return True
        self.kill()
        return False

    def kill(self):
        """Ends the kernel at once. What waits for it notices; to cancel it would skip its tidying up."""
        if self.km is not None and self.km.has_kernel:
            self.ending = asyncio.ensure_future(self.km.signal_kernel(signal.SIGKILL))
        else:
            self.running.cancel()

    def abandon(self):
        """Ends a notebook that would not have started yet if it had waited for those before it, one of which failed."""
        self.is_abandoned = True
        self.kill()

    def _explain_timeout(self, error):
        if error.args and "IOPub" in error.args[0]:
            return f"the cell's outputs did not arrive within {self.iopub_timeout} s of its end"
        return f"the cell ran for more than {self.timeout} s (--timeout)"

    async def _cause_of_death(self):
        status = await self.km.provisioner.poll() if self.km and self.km.provisioner else None
        if status is not None and status < 0:
            name = signal.Signals(-status).name
            cause = f"ended by {name}{DEATHS.get(name, '')}"
        else:
            cause = f"it exited with status {status}"
        return f"KernelDied: the kernel died during this cell: {cause}"

    def _log_tail(self):
        self.log_file.seek(0)
        lines = self.log_file.read().decode(errors="replace").splitlines()
        # Node.js ends with a native stack, which says nothing to the reader.
        said = [line for line in lines if line.strip() and not re.match(r"\s*\d+: 0x|-----", line)]
        return "\n".join(said[-8:])


DEATHS = {
    "SIGKILL": ", as Linux does when memory runs out; try a smaller batch size or image size",
    "SIGABRT": ", as Node.js does when its heap is full; the lines below say more",
    "SIGSEGV": ", a fault in native code",
}


def printed_after(text, added):
    """
    Returns a text with what was printed after it, as notebooks show it: after a carriage return, a line begins from scratch, and a
    backspace removes the character before it. Looks at each character once, apart from those of the last line.
    """
    start = text.rfind("\n") + 1
    lines = (text[start:] + added).split("\n")
    return text[:start] + "\n".join(map(last_version, lines))


def last_version(line):
    """Returns a line without what was overwritten. Carriage returns at its end stay: what follows them may come later."""
    printed = line.rstrip("\r")
    last = printed[printed.rfind("\r") + 1 :]
    if "\b" in last:
        characters = []
        for character in last:
            if character == "\b" and characters and characters[-1] != "\b":
                characters.pop()
            else:
                characters.append(character)
        last = "".join(characters)
    return last + line[len(printed) :]


def add_error(cell, number, message):
    """Keeps an error that the kernel did not report in the cell's outputs."""
    name, _, value = message.partition(": ")
    cell.execution_count = number
    cell.outputs.append(new_output("error", ename=name, evalue=value, traceback=[message]))
