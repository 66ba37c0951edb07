"""Lens: when does the model know, and who told it?"""
