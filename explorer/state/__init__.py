"""What a person has open and set up: workspace, player, tracks, settings, actions."""
