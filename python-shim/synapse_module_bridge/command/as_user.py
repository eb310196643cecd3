"""Makes this process that of another user, for `check --user`: what it may read then, that user may."""

import os
import pwd

from synapse_module_bridge.configuration.denied import describe_denied


class CannotBecome(Exception):
    """The files cannot be tried as that user. The message says what to do."""


def become_user(name: str) -> None:
    """Cannot be undone. Raises CannotBecome."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise CannotBecome(f"there is no user {name}") from None
    if os.getuid() == user.pw_uid:
        return
    if os.getuid() != 0:
        raise CannotBecome(
            f"only root can try the files as {name}: run this command with sudo, or as {name} (sudo -u {name} …)"
        )
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ.update(USER=name, LOGNAME=name, HOME=user.pw_dir)
    try:
        open(os.__file__, "rb").close()
    except OSError:
        # What is not imported yet could not be found: nothing that follows would be true.
        raise CannotBecome(f"{name} cannot run this Python: {describe_denied(os.__file__)}") from None
