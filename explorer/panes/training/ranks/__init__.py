"""Ranks: which rank computes what, and which one waits for which?"""
