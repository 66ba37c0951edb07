"""Diagrams of a transformer, from the whole model to the steps inside a part; `scenes` describes
what each shows.
"""
