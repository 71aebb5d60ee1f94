"""Which verbs a path has, so that a wrong one can be told from an unknown path.

The routes themselves stand in `template.yaml`; a test holds this list equal to it.
"""

import re

_MODEL = r"/v2/models/[^/]+(/versions/[^/]+)?"

_VERBS = (
    (re.compile(rf"(/cascade)?({_MODEL}/infer|/v2/repository/index)"), ("POST",)),
    (re.compile(rf"(/cascade)?(/v2/?|/v2/health/(live|ready)|{_MODEL}(/ready|/config|/stats)?)"), ("GET",)),
    (re.compile(r"/v1/models/[^/]+(/versions/[^/]+)?:predict"), ("POST",)),
    (re.compile(r"/openapi\.json|/docs"), ("GET",)),
)


def verbs(path: str) -> tuple[str, ...]:
    """List the verbs that a path answers; none when it is unknown."""
    return next((found for pattern, found in _VERBS if pattern.fullmatch(path)), ())
