"""What the commands of one call share: the terminal, the environment, which project it is, and its supervisor."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from stigmer_pm.cli.errors import CliError
from stigmer_pm.client.errors import NoSupervisor, Refused
from stigmer_pm.client.requests import Supervisor
from stigmer_pm.statedir import StateDir

if TYPE_CHECKING:
    from stigmer_pm.cli.screen.terminal import Terminal
    from stigmer_pm.supervisor.launch import Seed

#: Seconds within which a supervisor that is starting, or whose socket is being made anew, must answer. The socket is
#: looked after every 10 s.
ANSWER_WITHIN = 12.0
#: Seconds after which it is said that one is waited for: mostly another command has just started it.
_SAY_AFTER = 1.0
_LOOK = 0.02


class Session:
    """One call of the program. What it needs is found out when it is first asked for."""

    def __init__(self, terminal: Terminal, environ: Mapping[str, str], seed: Seed | None = None) -> None:
        self.terminal = terminal
        self.environ = environ
        self.file_option: str | None = None
        #: A shell asks, which shows nothing of ours but the names.
        self.is_completing = False
        self._seed = seed
        self._file: str | None = None
        self._state: StateDir | None = None

    # --- the project --------------------------------------------------------------------------------------------

    def file(self) -> str:
        """The project's file: ``--file``, else ``STIGMER_FILE``, else the nearest one at or above this folder.

        One that is gone while what it has applied runs is still its name.

        Raises:
            ConfigError: there is none.
        """
        if self._file is None:
            from stigmer_pm.config.errors import NoFile
            from stigmer_pm.config.locate import find_file

            try:
                self._file = find_file(self.file_option, self.environ, working_dir())
            except NoFile:
                self._file = self._lost_file()
                if self._file is None:
                    raise
        return self._file

    def _lost_file(self) -> str | None:
        from stigmer_pm.cli.lost_file import lost_file
        from stigmer_pm.config.locate import default_state_dir

        file = lost_file(self.file_option or self.environ.get("STIGMER_FILE"), working_dir())
        if file is not None:
            self._state = StateDir(default_state_dir(file))
            if not self.is_completing:
                self.terminal.warn(f"{file} is gone; what it had applied goes on, and 'stigmer-pm down' ends it")
        return file

    def say_which_file(self) -> None:
        """Name the file in a line, when neither this command nor this folder does: it may be another project's.

        Raises:
            ConfigError: there is none.
        """
        file = self.file()
        if self.file_option is not None or os.path.dirname(file) == working_dir():
            return
        source = " (named by STIGMER_FILE)" if self.environ.get("STIGMER_FILE") else ""
        self.terminal.say(f"using {file}{source}")

    def state(self) -> StateDir:
        """The state folder that the file names; the rest of the file may be broken.

        Raises:
            ConfigError: there is no file, or its state_dir can't be told.
        """
        file = self.file()  # it may tell the state folder as well
        if self._state is None:
            from stigmer_pm.config.locate import read_state_dir

            self._state = StateDir(read_state_dir(file, self.environ))
        return self._state

    def remember_state(self, state: StateDir) -> None:
        """The state folder has been found out by reading the whole file."""
        self._state = state

    def known_state(self) -> StateDir | None:
        """The state folder, if it has been found out by now."""
        return self._state

    def supervisor(self) -> Supervisor:
        """The project's supervisor.

        Raises:
            ConfigError: there is no file.
            NoSupervisor: none has left its address.
            CliError: it runs another file's project, which has the same state folder.
        """
        supervisor = Supervisor.find(self.state(), self.environ)
        self.refuse_file_of_others(supervisor.address.file)
        return supervisor

    def refuse_file_of_others(self, theirs: str | None) -> None:
        """The state folder is that of another file, ``theirs``, which is still there.

        Raises:
            CliError: it is.
        """
        ours = self.file()
        if theirs and os.path.realpath(theirs) != os.path.realpath(ours) and os.path.exists(theirs):
            raise CliError(
                f"the state folder '{self.state().path}' belongs to the project of {theirs}",
                f"name that file (-f {theirs}), or give {ours} a state_dir of its own",
            )

    def warn_of_unwritten(self, trouble: str | None) -> None:
        """What was shown comes from the record, and ``trouble``, if any, keeps what happened lately out of it."""
        if trouble:
            self.terminal.warn(f"what has happened since is not shown yet: {trouble}")

    def living_supervisor(self, timeout: float | None = None) -> Supervisor:
        """The project's supervisor; when it has died, another one that finds again what it ran.

        One that is just starting, by another command for example, is waited for, and so is one whose socket is being
        made anew; ``timeout`` in seconds is what there is for all of the command.

        Raises:
            ConfigError: there is no file.
            NoSupervisor: none runs, and nothing is known to run without one; or it can't be reached.
        """
        within = ANSWER_WITHIN if timeout is None else min(timeout, ANSWER_WITHIN)
        began, is_said = time.monotonic(), False
        while True:
            try:
                supervisor = self.supervisor()
                supervisor.knock()
            except NoSupervisor as error:
                waited = time.monotonic() - began
                if not (error.has_died or error.may_return) or waited > within:
                    raise
                if not is_said and (error.has_died or waited > _SAY_AFTER):
                    is_said = True
                    what = "starting another, which finds it again" if error.has_died else "waiting for it"
                    self.terminal.say(f"{error.message}; {what}")
                found = self._recover(timeout) if error.has_died else None
                if found is not None:
                    return found
            else:
                return supervisor
            time.sleep(_LOOK)

    def _recover(self, timeout: float | None) -> Supervisor | None:
        """Another supervisor that finds again what one ran that has died; ``None``: another command has been faster."""
        state = self.state()
        answer = self.take_seed().plant(
            {"recover": {"state_dir": state.path, "file": self.file()}, "environment": dict(self.environ)}, timeout
        )
        if answer.get("busy"):
            return None
        if "error" in answer:
            error = answer["error"]
            raise Refused(str(error["message"]), error.get("cure"), int(error.get("exit", 1)))
        return Supervisor.find(state, self.environ)

    # --- the seed of a supervisor -------------------------------------------------------------------------------

    def take_seed(self) -> Seed:
        """A forked child that is ready to become the supervisor.

        Raises:
            CliError: no further process may be made.
        """
        seed, self._seed = self._seed, None
        if seed is None:
            from stigmer_pm.supervisor.launch import prefork

            self.terminal.flush()  # what stands in a buffer now would stand in the child's as well
            try:
                seed = prefork()
            except OSError as error:
                raise CliError(
                    f"cannot make a process for the supervisor: {(error.strerror or str(error)).lower()}",
                    "end something, or raise what this user or container may have (ulimit -u, pids.max)",
                    exit_status=1,
                ) from error
        return seed

    def discard_seed(self) -> None:
        """There is no use for the seed."""
        seed, self._seed = self._seed, None
        if seed is not None:
            seed.discard()


pass_session = click.make_pass_decorator(Session)


def working_dir() -> str:
    """The folder that the command was called in.

    Raises:
        CliError: it has been removed.
    """
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise CliError("this folder does not exist any more", "go to one that does: cd") from None
