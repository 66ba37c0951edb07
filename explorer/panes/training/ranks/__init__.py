"""Ranks: who computes what, and who waits for whom?"""
