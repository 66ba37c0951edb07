"""The window around the panes: session, menus, keys, notices, export, tour."""
