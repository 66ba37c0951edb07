"""Training runs as the app sees them: started, followed and inspected, always by their folders."""
