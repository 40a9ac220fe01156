"""What happened in a history, put into words only when somebody reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from stigmer_pm.spec import ComponentSpec, ProbeSpec, TcpCheck
from stigmer_pm.supervisor.records import EventRow


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened."""

    at: float
    what: tuple[object, ...]

    def __str__(self) -> str:
        return f"{self.at:10.3f} {' '.join(map(str, self.what))}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the journal."""

    event: EventRow

    def __str__(self) -> str:
        event = self.event
        run = "" if event.run is None else f"/{event.run}"
        return f"    {event.instance}{run} {event.kind}: {event.message}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A component, by what isn't as usual in it."""

    spec: ComponentSpec

    def __str__(self) -> str:
        return f"{self.spec.name}({_unusual(self.spec, ComponentSpec(self.spec.name))})"


def _unusual(value: Any, usual: Any) -> str:
    words = []
    for name in (f.name for f in fields(value)):
        found, default = getattr(value, name), getattr(usual, name)
        if name in ("process", "container"):
            words += [] if found is None else [f"container {found.image}" if name == "container" else found.argv[0]]
        elif name == "probes":
            words += [_unusual(probe, ProbeSpec(probe.kind, tcp=TcpCheck(80))) for probe in found.declared()]
        elif found != default:
            words.append(f"{name}={found}")
    return f"{value.kind}: {', '.join(words)}" if isinstance(value, ProbeSpec) else ", ".join(words)
