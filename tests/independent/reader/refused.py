"""The one way in which reading fails."""


class Refused(Exception):
    """What was read is not what docs/FORMAT.md says."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)
