"""Try: how much of the learned change should be used?"""
