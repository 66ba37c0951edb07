"""Plan: does it fit, how long, how much money?"""
