"""What the user has open and set up: workspace, drafts, player, tracks, settings, actions."""
