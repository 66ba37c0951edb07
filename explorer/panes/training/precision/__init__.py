"""Precision: what do 16 bits lose?"""
