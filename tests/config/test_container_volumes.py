"""Volumes of containers: Compose's short and long forms, and what of them can't be carried."""

from __future__ import annotations

import dataclasses

import pytest

from stigmer_pm.spec import Mount

from .conftest import Folder, container_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/d", Mount("volume", "/d")),
        ("v:/d", Mount("volume", "/d", "project-v")),
        ("v:/d:ro", Mount("volume", "/d", "project-v", True)),
        ("v:/d:rw", Mount("volume", "/d", "project-v", False)),
        ("v:/d:nocopy", Mount("volume", "/d", "project-v", nocopy=True)),
        ("'v:/d:ro,z,nocopy'", Mount("volume", "/d", "project-v", True, selinux="z", nocopy=True)),
        ("./x:/d", Mount("bind", "/d", "{folder}/x")),
        (".:/d", Mount("bind", "/d", "{folder}")),
        ("../x:/d:ro", Mount("bind", "/d", "{parent}/x", True)),
        ("/x:/d", Mount("bind", "/d", "/x")),
        ("~/x:/d", Mount("bind", "/d", "/home/me/x")),
        ("'~:/d'", Mount("bind", "/d", "/home/me")),
        ("./x:/d:z", Mount("bind", "/d", "{folder}/x", selinux="z")),
        ("'./x:/d:Z,ro'", Mount("bind", "/d", "{folder}/x", True, selinux="Z")),
        ("./x:/d:cached", Mount("bind", "/d", "{folder}/x")),
        ("'./x:/d:delegated,rw'", Mount("bind", "/d", "{folder}/x")),
        ("v:/d:consistent", Mount("volume", "/d", "project-v")),
        ("{target: /d}", Mount("volume", "/d")),
        ("{type: volume, source: v, target: /d, read_only: true}", Mount("volume", "/d", "project-v", True)),
        ("{source: data, target: /d, external: true}", Mount("volume", "/d", "data", external=True)),
        ("{type: volume, source: v, target: /d, external: false}", Mount("volume", "/d", "project-v")),
        ("{source: v, target: /d, volume: {nocopy: true, subpath: a/b}}",
         Mount("volume", "/d", "project-v", nocopy=True, subpath="a/b")),
        ("{source: v, target: /d, bind: {selinux: z}}", Mount("volume", "/d", "project-v", selinux="z")),
        ("{type: bind, source: x, target: /d}", Mount("bind", "/d", "{folder}/x")),
        ("{type: bind, source: ~/x, target: /d, bind: {create_host_path: false, selinux: Z}}",
         Mount("bind", "/d", "/home/me/x", create=False, selinux="Z")),
        ("{type: bind, source: x, target: /d, bind: {create_host_path: true}, consistency: cached}",
         Mount("bind", "/d", "{folder}/x")),
        ("{type: bind, source: '/a:b', target: /d, bind: {create_host_path: false}}",
         Mount("bind", "/d", "/a:b", create=False)),
        ("{type: tmpfs, target: /d}", Mount("tmpfs", "/d")),
        ("{type: tmpfs, target: /d, tmpfs: {size: 64MiB, mode: 0o755}}",
         Mount("tmpfs", "/d", size=64 << 20, mode=0o755)),
        ("{type: tmpfs, target: /d, tmpfs: {size: 1000, mode: 1777}}", Mount("tmpfs", "/d", size=1000, mode=0o1777)),
        ("{type: tmpfs, target: /d, tmpfs: {mode: '0700'}}", Mount("tmpfs", "/d", mode=0o700)),
    ],
)  # fmt: skip
def test_volumes_are_mounted_as_compose_has_them(folder: Folder, written: str, expected: Mount) -> None:
    """``[SOURCE:]TARGET[:OPTIONS]`` or a mapping; a source that begins like a path is one."""
    (mount,) = container_of(folder, f"image: i, volumes: [{written}]", {"HOME": "/home/me"}).mounts
    source = expected.source and expected.source.format(folder=folder.path, parent=folder.path.parent)
    assert mount == dataclasses.replace(expected, source=source)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("'./x:/d:rshared'", "27: [0]: expected ro, rw, z, Z, nocopy, consistent, cached or delegated at the end of "
         "the volume, found 'rshared'"),
        ("'./x:/d:ro,'", "27: [0]: expected ro, rw, z, Z, nocopy, consistent, cached or delegated at the end of "
         "the volume, found ''"),
        ("'./x:/d:ro,rw'", "27: [0]: expected one of ro and rw at the end of the volume, found both"),
        ("'./x:/d:z,ro,Z'", "27: [0]: expected one of Z and z at the end of the volume, found both"),
        ("'./x:/d:nocopy'", "27: [0]: 'nocopy' is for volumes only; this is a bind"),
        ("'~you/x:/d'", "27: [0]: cannot tell where '~you/x' is: only '~/' is known, the caller's own home; write the "
         "whole path"),
        ("'~/x:/d'", "27: [0]: cannot tell where '~/x' is: HOME is not set; write the whole path"),
        ("'./x:/'", "27: [0]: expected a folder in the container, found '/', where the image is"),
        ("'x y:/d'", "27: [0]: expected the name of a volume (letters, digits, '_', '.' and '-' that begins with a "
         "letter or digit), or a path that begins with '.', '/' or '~', found 'x y'"),
        ("{source: ./x, target: /d}", "36: [0].source: expected the name of a volume, found './x'; write 'type: bind' "
         "if it is a path"),
        ("{source: x, target: /d, external: true}", "36: [0].source: expected the name of a volume (two or more "
         "letters, digits, '_', '.' and '-' that begins with a letter or digit), found 'x'"),
        ("{target: /d, external: true}", "50: [0].external: for volumes with a 'source' only, which is the name of one "
         "that exists"),
        ("{type: bind, source: x, target: /d, external: true}", "73: [0].external: for volumes with a 'source' only, "
         "which is the name of one that exists"),
        ("{type: tmpfs, source: x, target: /d}", "49: [0].source: expected no 'source' for a tmpfs, found 'x'"),
        ("{type: tmpfs, target: /d, bind: {selinux: z}}", "60: [0].bind.selinux: for binds and named volumes only"),
        ("{target: /d, bind: {create_host_path: true}}", "47: [0].bind.create_host_path: for binds only; this is a "
         "volume"),
        ("{type: bind, source: x, target: /d, volume: {}}", "71: [0].volume: for volumes only; this is a bind"),
        ("{target: /d, tmpfs: {size: 1}}", "40: [0].tmpfs: for 'type: tmpfs' only; this is a volume"),
        ("{type: tmpfs, target: /d, tmpfs: {mode: 789}}", "67: [0].tmpfs.mode: expected permission bits, octal digits "
         "from 0000 to 7777, found the number 789"),
        ("{target: /d, volume: {subpath: ../x}}", "58: [0].volume.subpath: expected a path in the volume, without '..' "
         "and without '/' at its beginning, found '../x'"),
        ("{target: /d, bind: {propagation: rshared}}", "47: [0].bind.propagation: unknown key 'propagation'; there is: "
         "create_host_path, selinux"),
        ("{target: /d, consistency: soon}", "53: [0].consistency: expected default, consistent, cached or delegated, "
         "found 'soon'"),
        ("{type: bind, source: '/a:b', target: /d}", "27: [0]: Docker takes no ':' in a path here, found '/a:b'; add "
         "'bind: {create_host_path: false}', or rename it"),
        ("{source: v, target: '/d:e', bind: {selinux: z}}", "27: [0]: Docker takes no ':' in a path here, found "
         "'/d:e'; remove 'selinux', or rename it"),
        ("{source: v, target: /d, volume: {subpath: a}, bind: {selinux: z}}", "69: [0].volume.subpath: Docker takes no "
         "'subpath' together with 'selinux'; remove one"),
        ("{type: npipe, target: /d}", "34: [0].type: expected bind, volume or tmpfs, found 'npipe'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_volume_is_told_at_its_place(folder: Folder, written: str, expected: str) -> None:
    """What can't be carried is refused, and never dropped without a word."""
    found = folder.problem(f"components:\n  a: {{image: i, volumes: [{written}]}}\n")
    assert found == "2:" + expected.replace(" [0]", " components.a.volumes[0]", 1)


@pytest.mark.parametrize("second", ["./y:/d", "/d", "w:/d/", "w:/x/../d"])
def test_two_volumes_at_one_place_are_an_error(folder: Folder, second: str) -> None:
    """However the place is written."""
    found = folder.problem(f"components:\n  a: {{image: i, volumes: ['v:/d', '{second}']}}\n")
    assert found.startswith("2:35: components.a.volumes[1]: volumes[0] is mounted at '/")
    assert found.endswith("' as well; remove one")


def test_a_project_names_its_volumes(folder: Folder) -> None:
    """As Compose does, so that two projects with a volume ``data`` don't share it."""
    spec = folder.load("project: shop\ncomponents: {a: {image: i, volumes: ['data:/d']}}\n")
    assert spec.components[0].container is not None
    assert spec.components[0].container.mounts[0].source == "shop-data"
