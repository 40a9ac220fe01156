"""Volumes of the file as mounts of the spec."""

from __future__ import annotations

import posixpath

from stigmer_pm.config.field_container import engine_name_words, is_engine_name
from stigmer_pm.config.fields import found_words
from stigmer_pm.config.model_mount import BindBlock, MountBlock, TmpfsBlock, VolumeBlock
from stigmer_pm.config.resolve_context import Part
from stigmer_pm.spec.component import Mount


def resolve_mounts(part: Part) -> tuple[Mount, ...]:
    """The mounts of a container, each at a target of its own."""
    mounts: list[Mount] = []
    first_at: dict[str, int] = {}
    for index, block in enumerate(part.model.volumes or ()):
        mount = _Resolving(part, index, block).mount()
        first = first_at.setdefault(posixpath.normpath(mount.target), index)
        if first != index:
            part.complain(f"volumes[{first}] is mounted at '{mount.target}' as well; remove one", "volumes", index)
        mounts.append(mount)
    return tuple(mounts)


class _Resolving:
    """One mount."""

    def __init__(self, part: Part, index: int, block: MountBlock) -> None:
        self._part = part
        self._index = index
        self._block = block
        self._kind = block.type or "volume"

    def mount(self) -> Mount:
        """The mount. What is wrong is noted; it is then of no use."""
        block = self._block
        bind = block.bind or BindBlock.model_construct()
        volume = block.volume or VolumeBlock.model_construct()
        tmpfs = block.tmpfs or TmpfsBlock.model_construct()
        self._check_target()
        self._check_kinds()
        source = self._source()
        self._check_colons(source, bind)
        return Mount(
            kind=self._kind,
            target=block.target,
            source=source,
            read_only=bool(block.read_only),
            create=bind.create_host_path is not False,
            size=tmpfs.size,
            mode=tmpfs.mode,
            selinux=bind.selinux,
            nocopy=bool(volume.nocopy),
            subpath=self._subpath(volume.subpath),
            external=bool(block.external),
        )

    def _check_target(self) -> None:
        target = self._block.target
        if not target.startswith("/"):
            self._complain(f"expected an absolute path in the container, found {found_words(target)}")
        elif not target.strip("/"):
            self._complain("expected a folder in the container, found '/', where the image is")

    def _check_kinds(self) -> None:
        """Note what the block says that its kind of mount doesn't have."""
        block, kind = self._block, self._kind
        if block.bind is not None:
            if kind != "bind" and block.bind.create_host_path is not None:
                self._complain(f"for binds only; this is a {kind}", "bind", "create_host_path", at_key=True)
            if block.bind.selinux is not None and (kind == "tmpfs" or block.source is None):
                self._complain("for binds and named volumes only", "bind", "selinux", at_key=True)
        if kind != "volume" and block.volume is not None:
            # The short form has no key to point at.
            words = "'nocopy' is for volumes only" if block.volume.nocopy else "for volumes only"
            self._complain(f"{words}; this is a {kind}", "volume")
        if kind != "tmpfs" and block.tmpfs is not None:
            self._complain(f"for 'type: tmpfs' only; this is a {kind}", "tmpfs", at_key=True)
        if block.external and (kind != "volume" or block.source is None):
            self._complain("for volumes with a 'source' only, which is the name of one that exists", "external")

    def _check_colons(self, source: str | None, bind: BindBlock) -> None:
        """Note a colon where Docker's own short form, SOURCE:TARGET:OPTIONS, is the only way to say the rest."""
        is_short = bind.selinux is not None or (self._kind == "bind" and bind.create_host_path is not False)
        path = next((path for path in (source, self._block.target) if path is not None and ":" in path), None)
        if is_short and path is not None:
            cure = "remove 'selinux'" if bind.selinux is not None else "add 'bind: {create_host_path: false}'"
            self._complain(f"Docker takes no ':' in a path here, found {found_words(path)}; {cure}, or rename it")

    def _source(self) -> str | None:
        source = self._block.source
        if self._kind == "bind":
            return self._path(source)
        if self._kind == "tmpfs":
            if source is not None:
                self._complain(f"expected no 'source' for a tmpfs, found {found_words(source)}", "source")
            return None
        if source is None:
            return None
        is_whole = bool(self._block.external)
        if not is_engine_name(source, is_whole=is_whole):
            self._complain(self._name_words(source, is_whole=is_whole), "source")
        return source if is_whole else f"{self._part.project.name}-{source}"

    def _name_words(self, source: str, *, is_whole: bool) -> str:
        found = found_words(source)
        if source[0] in "./~":  # the short form would have made it a bind
            return f"expected the name of a volume, found {found}; write 'type: bind' if it is a path"
        path = "" if is_whole else ", or a path that begins with '.', '/' or '~'"
        of_what = engine_name_words(is_whole=is_whole).removeprefix("a name of ")
        return f"expected the name of a volume ({of_what}){path}, found {found}"

    def _path(self, source: str | None) -> str:
        if source is None:
            self._complain("expected 'source', the path that is bound")
            return "/"
        is_home = source == "~" or source.startswith("~/")
        if source.startswith("~") and not (is_home and self._part.project.environ.get("HOME")):
            why = "HOME is not set" if is_home else "only '~/' is known, the caller's own home"
            self._complain(f"cannot tell where {found_words(source)} is: {why}; write the whole path", "source")
        return self._part.project.absolute(source)

    def _subpath(self, subpath: str | None) -> str | None:
        if subpath is not None and (subpath.startswith("/") or ".." in subpath.split("/")):
            words = "expected a path in the volume, without '..' and without '/' at its beginning"
            self._complain(f"{words}, found {found_words(subpath)}", "volume", "subpath")
        if subpath is not None and self._block.bind is not None and self._block.bind.selinux is not None:
            self._complain("Docker takes no 'subpath' together with 'selinux'; remove one", "volume", "subpath")
        return subpath

    def _complain(self, message: str, *path: str, at_key: bool = False) -> None:
        self._part.complain(message, "volumes", self._index, *path, at_key=at_key)
