"""What is on record, with real files."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from stigmer_pm.core.dependencies import Instance
from stigmer_pm.core.state import Desired, InstanceState, Phase, Run
from stigmer_pm.spec import ComponentSpec, ProcessExecution
from stigmer_pm.supervisor.contents import check_readable, peek
from stigmer_pm.supervisor.records import EventRow, RunRow
from stigmer_pm.supervisor.store import Store, StoreError


def _instance(name: str) -> Instance:
    run = Run(number=3, asked_at=5.0, pid=77, started_at=5.0)
    state = InstanceState(name, Phase.RUNNING, 5.0, desired=Desired.RUNNING, run=run, run_number=3)
    spec = ComponentSpec(name, process=ProcessExecution(("serve",), "/", f"/logs/{name}.log"))
    return Instance(spec, state)


def _write(path: Path) -> None:
    store = Store(str(path))
    with store.transaction():
        store.set_meta({"environment": '{"PATH": "/bin"}', "inputs": "[]", "key": "a key", "project": "demo"})
        store.save_instances(enumerate(_instance(name) for name in ("web", "worker")))
        store.save_runs(RunRow(name, n, 77, 5, 0, 1.0) for name in ("web", "worker") for n in (1, 2, 3))
        store.append_events([EventRow(1.0, "web", 1, "running", "runs as pid 7")] * 20)
    store.close()


def test_whichever_byte_of_a_record_is_another_a_supervisor_begins(tmp_path: Path) -> None:
    """It reads the record, or has moved it aside: nobody is turned away for ever by one byte."""
    original, path = tmp_path / "original.db", tmp_path / "state.db"
    _write(original)
    content = original.read_bytes()
    used = [at for at, byte in enumerate(content) if byte]
    chance = random.Random(7)  # noqa: S311 (which byte, and no secret)
    moved, refused = 0, set()
    for _ in range(150):
        at = chance.choice(used)
        changed = bytearray(content)
        changed[at] ^= 1 << chance.randrange(8)
        for part in tmp_path.glob("state.db*"):
            part.unlink()
        path.write_bytes(changed)
        try:
            peek(str(path))
            store = Store(str(path))
        except StoreError as error:
            refused.add(str(error).rpartition(" is of format ")[0])
            continue
        assert store.load_instances() == [] or store.moved_aside is None
        store.last_run_numbers()
        store.latest_log_offsets()
        moved += store.moved_aside is not None
        store.close()
        check_readable(str(path))
    assert moved > 10
    assert refused <= {f"'{path}'"}, "nothing else is a reason"


def test_a_record_that_is_sound_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And again after something was written to it."""
    path = tmp_path / "state.db"
    _write(path)
    store = Store(str(path))
    assert store.load_instances() == [_instance("web"), _instance("worker")]
    with store.transaction():
        store.delete_instances(["web"])
    assert store.load_instances() == [_instance("worker")]
    store.close()
    shutil.copy(path, tmp_path / "copy.db")
    assert peek(str(tmp_path / "copy.db"))[1] == 1
