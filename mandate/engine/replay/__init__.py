"""Judges again what is on record. Nothing here is recorded, and nobody may act on it.

difference  what two decisions on one input say differently
again       one decision, by the policies and the OPA that made it: does it come out the same?
standing    policies in an OPA of our own that answers thousands of questions
reach       which rules a change of policies can reach
reduced     policies that know these rules only
sections    of an input, what these policies read
by_reach    a decision on record, judged again by these alone
impact      all decisions, by other policies or another OPA: which would flip?
journal     how far that has come, on disk, so that it can be gone on with
expected    the flips that somebody wants, and why
summary     the journal's content, counted and grouped
"""
