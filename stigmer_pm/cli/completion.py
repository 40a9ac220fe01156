"""``stigmer-pm completion``."""

from __future__ import annotations

import click

from stigmer_pm.cli.options import example
from stigmer_pm.cli.program import COMPLETION_VARIABLE, PROGRAM
from stigmer_pm.cli.session import Session, pass_session

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    short_help="Print a script that makes a shell complete commands.",
    epilog=example("completion bash > ~/.stigmer-pm-completion.bash"),
)
@click.argument("shell", type=click.Choice(_SHELLS))
@pass_session
def command(session: Session, shell: str) -> int:
    """Print a script that makes the shell complete commands, options and the names of components.

    \b
    bash: put  eval "$(stigmer-pm completion bash)"  into ~/.bashrc
    zsh:  put  eval "$(stigmer-pm completion zsh)"   into ~/.zshrc
    fish: stigmer-pm completion fish > ~/.config/fish/completions/stigmer-pm.fish
    """
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    assert completer is not None, "click completes every shell that this command offers"
    session.terminal.print(
        completer(click.get_current_context().find_root().command, {}, PROGRAM, COMPLETION_VARIABLE).source()
    )
    return 0
