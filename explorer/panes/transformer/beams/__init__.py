"""Beams: what if the model looked further than one token?"""
