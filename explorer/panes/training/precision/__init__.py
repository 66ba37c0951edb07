"""Precision: which numbers are lost in 16 bits?"""
