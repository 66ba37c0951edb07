"""Inside: how can so few numbers change a model?"""
