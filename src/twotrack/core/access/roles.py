"""What routes ask about whoever sent the request."""

from fastapi import Depends
from starlette.requests import Request

from twotrack.core.access.caller import Caller
from twotrack.core.access.errors import RoleMissing


def caller_of(request: Request) -> Caller:
    """Whom the gate has let in; without a gate nobody is, and asking is an error."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


async def _require_admin(request: Request) -> None:
    caller = caller_of(request)
    if caller.role != "admin":
        error = RoleMissing(name=caller.name, role="admin")
        request.app.state.access.note_refusal(request.scope, error, caller)
        raise error


admin_only = Depends(_require_admin)
"""For `dependencies=[…]` of a route or router: refuses whoever is no admin."""
