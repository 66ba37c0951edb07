"""Diagrams of a transformer, from the whole model to the steps inside a part; `scenes` says what
each shows.
"""
