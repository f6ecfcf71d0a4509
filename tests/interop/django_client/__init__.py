"""A small Django site that lets people in by grantlog."""
