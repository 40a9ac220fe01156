"""How everything stands, as ``ps --json`` has it: from the state in memory, and what runs use at this moment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stigmer_pm.runtime import system
from stigmer_pm.supervisor.clock import stamp
from stigmer_pm.supervisor.documents import Document, instance_document
from stigmer_pm.supervisor.usage import UsageMeter
from stigmer_pm.version import __version__

if TYPE_CHECKING:
    from stigmer_pm.supervisor.service import Service


class Overview:
    """What one supervisor tells of all its instances."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._usage = UsageMeter()

    def document(self, names: Sequence[str]) -> Document:
        """The document of ``ps --json``, and what the applied file was made from."""
        service = self._service
        return {
            "project": service.project_name,
            "file": service.file,
            "supervisor": {"pid": os.getpid(), "version": __version__, "since": stamp(service.started_at)},
            "trouble": service.engine.recorder.trouble,
            "inputs": json.loads(service.store.meta("inputs") or "[]"),
            "components": self.entries(names),
        }

    def entries(self, names: Sequence[str]) -> list[Document]:
        """The entries of ``ps --json`` for some instances."""
        engine = self._service.engine
        instances = [engine.project[name] for name in names]
        leaders = {
            run.pid: run.started_at
            for run in (i.state.run for i in instances)
            if run is not None and run.pid is not None and run.started_at is not None and run.is_alive
        }
        usage, now = self._usage.measure(leaders), system.now()
        return [
            instance_document(
                i,
                now,
                usage.get(i.state.run.pid) if i.state.run is not None and i.state.run.pid is not None else None,
                engine.recorder.log_offsets.get(i.state.name, 0),
            )
            for i in instances
        ]
