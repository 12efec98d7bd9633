"""What a file of weights may make its reader do: memory and time in proportion to its size.

A few bytes can ask for any amount: an archive's entry that unpacks to a thousand times its size, tensors that are views of one
storage, lists that contain each other. Files that a training wrote stay far below these limits.
"""
import resource

from weights.problem import Problem

# Times that the numbers of a file may be read, as by names for the same tensor; also what compression may save.
RATIO = 16
# For small files, whose arrays may be all zeros.
ALLOWANCE = 2**26
# Values in nested lists and dictionaries that are looked at.
MAX_VALUES = 2_000_000
MAX_NAME = 2**12
SECONDS = 30
BYTES_A_SECOND = 2**22


class Budget:
    """Counts what is read from a file."""

    def __init__(self, size):
        self.num_bytes = RATIO * size + ALLOWANCE
        self.num_values = MAX_VALUES

    def spend(self, num_bytes, what):
        self.num_bytes -= num_bytes
        if self.num_bytes < 0:
            raise Problem(f"{what} that take more than {RATIO} times the file's size")

    def visit(self, name):
        self.num_values -= 1
        if self.num_values < 0 or len(name) > MAX_NAME:
            raise Problem("data that is nested too deeply")

    def read(self, archive, name):
        """Returns the bytes of an archive's entry."""
        self.spend(archive.getinfo(name).file_size, "entries of the archive")
        return archive.read(name)


def limit_process(size):
    """Limits the process itself, for what its libraries do before anything can be counted."""
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    memory = used + 4 * (RATIO * size + ALLOWANCE)  # some numbers are there in two or three forms at a time
    seconds = SECONDS + size // BYTES_A_SECOND
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
