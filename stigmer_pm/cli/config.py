"""``stigmer-pm config``."""

from __future__ import annotations

import json

import click

from stigmer_pm.cli.options import example, file_option, json_option
from stigmer_pm.cli.session import Session, pass_session


@click.command("config", short_help="Print the file as it is resolved.", epilog=example("config", "config --json"))
@file_option()
@json_option
@click.option("--show-secrets", is_flag=True, help="Don't mask the values of variables that look secret.")
@pass_session
def command(session: Session, show_secrets: bool, as_json: bool) -> int:
    """Print the file as it is resolved: variables filled in, defaults merged, as YAML or as JSON.

    Values of variables whose name looks secret are masked, and so are passwords in URLs.
    """
    from stigmer_pm.config import mask_secrets, resolved_document

    document = resolved_document(session.file(), session.environ)
    if not show_secrets:
        document = mask_secrets(document)
    if as_json:
        session.terminal.print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        session.terminal.print(_as_yaml(document).rstrip("\n"))
    return 0


def _as_yaml(document: object) -> str:
    """As people write it: texts of several lines as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    Dumper.add_representer(str, represent_text)
    return str(yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False))
