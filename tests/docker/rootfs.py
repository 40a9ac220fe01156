"""Root file systems of test images, made of what this machine has: a busybox, and this Python."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

_BUSYBOX = shutil.which("busybox") or "/bin/busybox"

_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/home:/bin/sh\n"
_GROUP = b"root:x:0:\nguest:x:1000:\n"

# A program that does nothing, and obeys SIGTERM and SIGINT. The first process of a container ignores a signal that it
# has no handler for, so a plain sleep would have to be killed.
_FOREVER = b"""#!/bin/sh
trap 'exit 0' TERM INT
echo started
while :; do sleep 1000 & wait $!; done
"""

# What the programs of the tests import. It runs in the interpreter whose modules are taken.
_LIST_MODULES = """
import collections, encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_8, http.server, json
import os, signal, site, socket, struct, sys, threading, time, traceback
files = {m.__file__: getattr(m, "__cached__", None) for m in sys.modules.values() if getattr(m, "__file__", None)}
# From 3.13 on it is another module under that name, but a fresh interpreter looks for the file.
files[os.path.join(os.path.dirname(collections.__file__), "abc.py")] = None
print(json.dumps([sys.executable, os.path.dirname(os.__file__), files]))
"""


class Tree:
    """The files of an image, as a tar that every user may read."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w", dereference=True)  # noqa: SIM115  (closed by tar())
        self._folders: set[str] = set()

    def folder(self, path: str, mode: int = 0o755) -> None:
        """A folder, with those that it lies in."""
        parent, _, _ = path.rpartition("/")
        if path and path not in self._folders:
            self.folder(parent)
            self._folders.add(path)
            info = tarfile.TarInfo(path)
            info.type, info.mode = tarfile.DIRTYPE, mode
            self._tar.addfile(info)

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """A file with this content."""
        self.folder(path.rpartition("/")[0])
        info = tarfile.TarInfo(path)
        info.size, info.mode = len(content), mode
        self._tar.addfile(info, io.BytesIO(content))

    def copy(self, source: str, path: str) -> None:
        """A file of this machine, with its time: Python compares a module's with what it has compiled."""
        self.folder(path.rpartition("/")[0])
        info = self._tar.gettarinfo(source, path)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        with open(source, "rb") as content:
            self._tar.addfile(info, content)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        info = tarfile.TarInfo(path)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(info)

    def tar(self) -> bytes:
        """All of it."""
        self._tar.close()
        return self._bytes.getvalue()


def small_tree(name: str, content: bytes) -> bytes:
    """One file and nothing else: what a test can tell from another image."""
    tree = Tree()
    tree.file(name, content)
    return tree.tar()


def busybox_tree() -> Tree:
    """Busybox with all its applets, the program ``forever``, a user ``guest``, and the folders that programs expect."""
    tree = Tree()
    for folder in ("etc", "bin", "home", "proc", "sys", "dev", "root"):
        tree.folder(folder)
    tree.folder("tmp", 0o1777)
    tree.file("etc/passwd", _PASSWD)
    tree.file("etc/group", _GROUP)
    tree.copy(_BUSYBOX, "bin/busybox")
    for library in sorted(_libraries(_BUSYBOX)):
        tree.copy(library, library.lstrip("/"))
    applets = subprocess.run([_BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            tree.link(f"bin/{applet}", "busybox")
    tree.file("bin/forever", _FOREVER, 0o755)
    return tree


def python_tree() -> Tree:
    """The same with ``python3``: this interpreter, the modules that the tests' programs import, and their libraries."""
    # Not of a virtual environment, without what site would add, and compiled before it is taken.
    interpreter = str(getattr(sys, "_base_executable", sys.executable))
    listed = subprocess.run([interpreter, "-I", "-S", "-c", _LIST_MODULES], capture_output=True, text=True, check=True)
    executable, library, modules = json.loads(listed.stdout)
    tree = busybox_tree()
    version = "python{}.{}".format(*sys.version_info)
    tree.copy(executable, "usr/local/bin/python3")
    for module, compiled in modules.items():
        for file in filter(None, (module, compiled)):
            if Path(file).exists():
                tree.copy(file, f"usr/local/lib/{version}/{Path(file).relative_to(library)}")
    tree.folder(f"usr/local/lib/{version}/lib-dynload")
    for shared in sorted(_libraries(executable, *(file for file in modules if file.endswith(".so")))):
        tree.copy(shared, shared.lstrip("/"))
    return tree


def _libraries(*programs: str) -> set[str]:
    """The shared libraries of programs, at the paths where their loader looks for them."""
    # It fails for one that is static.
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    # "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)", "/lib64/ld-linux-x86-64.so.2 (0x…)", and "PROGRAM:"
    words = [line.split() for line in listed.splitlines()]
    found = {w[2] for w in words if len(w) > 2 and w[1] == "=>" and w[2].startswith("/")}
    return found | {w[0] for w in words if len(w) == 2 and w[0].startswith("/") and w[1].startswith("(")}
