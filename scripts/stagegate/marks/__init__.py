"""Holds, bans and overrides: their values, where they are stored, when they end."""
