"""
Keeps git's view of a saved notebook current.

The filter that set-up configures leaves outputs out of what git stores. Git still reports a file whose size changed as modified
until it is added, even if what would be stored is the same.
"""

import os
import subprocess


def refresh_index(model, os_path, contents_manager):
    """Jupyter's hook after each save: tells git that a notebook is unchanged if only its outputs changed."""
    if model["type"] != "notebook":
        return
    folder, name = os.path.split(os_path)
    try:
        stored = git(folder, "rev-parse", "--verify", f":./{name}")
        if stored and stored == git(folder, "hash-object", name):
            git(folder, "add", "--", name)
    except OSError as error:
        contents_manager.log.debug("git cannot be asked about %s: %s", os_path, error)


def git(folder, *arguments):
    """Returns what git prints; nothing if it fails, as outside a repository."""
    result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""
