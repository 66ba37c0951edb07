"""Training runs as the app sees them: started, followed, looked into; always by their folders."""
