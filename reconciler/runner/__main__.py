"""One runner without a launcher: ``python -m reconciler.runner``, its job as JSON on standard input.

``procctl run`` starts it for a foreground run. It leads a session of its own, so neither the starter's death nor a
closed terminal ends it.
"""

import os
import sys

from reconciler.runner import job, leading, session


def main() -> None:
    """Read the job, leave the starter's session, and work on it."""
    try:
        given = job.parse(sys.stdin.buffer.read())
    except ValueError as error:
        session.complain(str(error))
        sys.exit(2)
    if os.getpgrp() == os.getpid() != os.getsid(0) and os.fork():
        os._exit(0)  # the leader of a group, as a shell makes it, cannot lead a session; its child can
    leading.lead(given)


if __name__ == "__main__":
    main()
