"""A part of the document to its model, with everything that is wrong with it, each at its place.

What is wrong is noted and left out, so that the rest can be looked at as well, and all errors are told at once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stigmer_pm.config.block import Block
from stigmer_pm.config.errors import Path
from stigmer_pm.config.fields import FieldError
from stigmer_pm.config.nodes import Data, MappingNode, Node, data_of
from stigmer_pm.config.problems import Problems
from stigmer_pm.config.spellings import SPELLINGS
from stigmer_pm.config.suggestions import did_you_mean, instead_of

M = TypeVar("M", bound=Block)

# Each round leaves out at least one value, and most files with errors need one or two.
_MOST_ROUNDS = 50

# So many known keys can be listed in a line. A component has forty, and they are in the reference.
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Checked(Generic[M]):
    """The model of what is right. ``left_out`` are the places, from the part's own root, of what is not."""

    model: M | None
    left_out: frozenset[Path]

    def is_whole(self, *path: str | int) -> bool:
        """Nothing at or under ``path`` has been left out."""
        return not any(place[: len(path)] == path for place in self.left_out)


def check(
    kind: type[M], node: Node, path: Path, problems: Problems, document: MappingNode, *, partial: bool = False
) -> Checked[M]:
    """``node``, which stands at ``path`` of ``document``, as a ``kind``. ``partial``: it may lack what is required."""
    data = data_of(node)
    left_out: set[Path] = set()
    for _ in range(_MOST_ROUNDS):
        try:
            return Checked(kind.model_validate(data), frozenset(left_out))
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        places = {_nearest_key(data, detail["loc"]) for detail in details}
        for detail in details:
            is_missing = detail["type"] == "missing"
            if not (is_missing and (partial or detail["loc"] in left_out)):
                _note(kind, detail, path, problems, document)
        left_out |= places
        if () in places:
            break
        for place in places:
            _leave_out(data, place)
    return Checked(None, frozenset(left_out))


def _note(kind: type[Block], detail: ErrorDetails, path: Path, problems: Problems, document: MappingNode) -> None:
    place = (*path, *detail["loc"])
    if detail["type"] == "missing":
        problems.add_at(document, place, f"expected '{detail['loc'][-1]}', which is required", at_key=True)
    elif detail["type"] == "extra_forbidden":
        problems.add_at(document, place, unknown_words(kind, detail["loc"], problems), at_key=True)
    else:
        error = detail.get("ctx", {}).get("error")
        if isinstance(error, FieldError):
            for finding in error.findings:
                problems.add_at(document, (*place, *finding.path), finding.message, at_key=finding.is_about_key)
        else:
            # Every field has a type of ours, with words of its own; pydantic's are better than none.
            problems.add_at(document, place, detail["msg"][:1].lower() + detail["msg"][1:])


def unknown_words(kind: type[Block], place: Path, problems: Problems, more: Collection[str] = ()) -> str:
    """That the key at ``place`` of a ``kind`` is none that is known, nor one of ``more``, and which is the nearest."""
    name = str(place[-1])
    known = [*_known_names(kind, place[:-1]), *more]
    # Kubernetes' spelling is suggested to who writes in it.
    is_kubernetes = any(character.isupper() for character in name)
    candidates = [word for word in known if (word in SPELLINGS) == is_kubernetes] or known
    hint = instead_of(name, known)
    if not hint and problems.may_hint(2 * len(known)):
        hint = did_you_mean(name, candidates) or did_you_mean(name, known)
    if not hint and 0 < len(known) <= _MOST_LISTED:
        hint = f"; there is: {', '.join(known)}"
    return f"unknown key '{name:.60}'{hint}"


def _known_names(kind: type[BaseModel], place: Path) -> list[str]:
    """The keys of the mapping at ``place``."""
    is_users = False  # the next part is a name of the user's, as under depends_on
    for part in place:
        field = kind.model_fields.get(part) if isinstance(part, str) and not is_users else None
        is_users = False
        if field is not None:
            found = _block_in(field.annotation)
            if found is None:
                return []
            kind = found
            is_users = any(get_origin(option) is dict for option in get_args(field.annotation))
    return list(kind.model_fields)


def _block_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _block_in(arg))), None)


def _nearest_key(data: Data, place: Path) -> Path:
    """The place of the value that is to be left out: the one at ``place``, or the nearest key above it.

    A list with something wrong in it is left out as a whole, or its indexes would move. ``()``: there is none.
    """
    found: Path = ()
    for depth, part in enumerate(place):
        if isinstance(data, dict) and isinstance(part, str) and part in data:
            found = place[: depth + 1]
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            break
    return found


def _leave_out(data: Data, place: Path) -> None:
    """Take the value at ``place`` out, unless something above it has been taken out before."""
    for part in place[:-1]:
        below: Data | None = None
        if isinstance(data, dict):
            below = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int):
            below = data[part]
        if below is None:
            return
        data = below
    if isinstance(data, dict):
        data.pop(str(place[-1]), None)
