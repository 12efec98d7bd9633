"""What is wrong with a file of weights."""


MAX_LENGTH = 300


class Problem(Exception):
    def __init__(self, found, expected="a torch checkpoint or a Keras file", fix="Download the file again or choose another one."):
        super().__init__(found)
        self.parts = {"expected": expected, "found": found[:MAX_LENGTH], "fix": fix}
