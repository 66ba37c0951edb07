"""Files made to do harm: what each is, and a process of its own in which it is opened."""
