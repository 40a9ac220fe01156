"""The mark that every process of a run carries in its environment, and who carries it, for whoever has no record."""

from __future__ import annotations

import hashlib
import os

#: The environment variable that marks every process of a run, inherited by whatever it starts: ``KEY/INSTANCE/NUMBER``.
MARK = "STIGMER_PM_RUN"


def mark_key(state_dir: str) -> str:
    """What tells the processes of one project from those of every other, by the real path of its state folder.

    It is made from what is there, and not by chance, so that what runs is found again when the state folder is lost.
    """
    return digest(os.fsencode(state_dir))


def digest(content: bytes) -> str:
    """A short word that is another one for any other content."""
    return hashlib.sha256(content).hexdigest()[:16]


def marked_pids(key: str) -> list[int]:
    """The pids of what runs with a mark of this key, as far as this user may see it.

    Not those of another pid namespace: in a container the same path is another project.
    """
    prefix = os.fsencode(f"{MARK}={key}/")
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self/ns") else ():
        try:
            if not name.isdecimal() or os.stat(f"/proc/{name}/ns/pid").st_ino != os.stat("/proc/self/ns/pid").st_ino:
                continue
            with open(f"/proc/{name}/environ", "rb") as file:
                environment = file.read()
        except OSError:
            continue  # it has ended, or is somebody else's
        if environment.startswith(prefix) or b"\0" + prefix in environment:
            found.append(int(name))
    return sorted(found)
