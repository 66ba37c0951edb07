"""Plan: does a run fit into memory, how long does it take, what does it cost?"""
