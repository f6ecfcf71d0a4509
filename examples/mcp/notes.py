"""The tools of the MCP server Notes: each person's notes, in memory, and who comes with whose word."""

import time
from dataclasses import dataclass

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

READ, WRITE = "notes:read", "notes:write"
# What each tool asks of a token. guard.py tells clients, before a tool is called; `caller` is what holds.
SCOPES = {"who_am_i": READ, "list_notes": READ, "write_note": WRITE}

mcp = MCPServer("Notes", instructions="Keeps notes of the person who let this application in.")
written = {}


@dataclass
class Caller:
    """Who calls, as the access token says."""

    person: str
    application: str
    scope: str
    seconds_left: int


@dataclass
class Note:
    text: str
    application: str
    """By which it was written."""


def caller(ctx, scope):
    """The claims of the token that the call came with."""
    claims = ctx.request_context.request.scope["grantlog.claims"]
    if not claims.has_scope(scope):
        raise ToolError(f"the token lacks the scope {scope}")
    return claims


@mcp.tool()
def who_am_i(ctx: Context) -> Caller:
    """Tells who calls: the person, the application that acts for them, and what it was allowed."""
    claims = caller(ctx, SCOPES["who_am_i"])
    return Caller(claims.sub, claims.client_id, claims.scope, int(claims.exp - time.time()))


@mcp.tool()
def list_notes(ctx: Context) -> list[Note]:
    """Lists the person's notes, the oldest first."""
    return written.get(caller(ctx, SCOPES["list_notes"]).sub, [])


@mcp.tool()
def write_note(text: str, ctx: Context) -> int:
    """Writes a note for the person. Gives how many there are now."""
    claims = caller(ctx, SCOPES["write_note"])
    notes = written.setdefault(claims.sub, [])
    notes.append(Note(text, claims.client_id))
    return len(notes)
