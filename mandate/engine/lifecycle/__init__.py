"""What is done to registered models, with a record before and after.

registry    what a model registry must do
plans       what shall be done: a promotion, a rollback, a retirement
performing  doing it: the intent, the act, the result
course      what the log says was done so far
standing    the recorded decision on which a rollback rests
reconciling the log held against the registry: acts that were cut off, moves that nobody recorded
"""
