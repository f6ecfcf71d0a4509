"""Why the news does not go on."""


class Interrupted(Exception):
    """One can go on where one was."""


class Broken(Exception):
    """Something may be missing: the snapshot has to be taken again."""


class Missing(Broken):
    """A revocation did not come."""

    def __init__(self, after):
        super().__init__(f"a revocation is missing after position {after}")
