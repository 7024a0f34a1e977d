"""Signed, append-only evidence of what was decided.

One decision on its way, one module a step:

    predicate   what is stated of a decision; `schema`, its published JSON Schema
    statement   the in-toto Statement around it, as canonical JSON
    keys        the key that signs; `public_keys`, the keys that verify; `key_files`, one after the other
    signers     whoever else signs: an agent, a token, a service
    key_status  until which entry each key may sign; `key_watch`, for those who are about to
    envelope    the DSSE envelope around the statement; `bundle`, its exported form
    ledger      what a store of envelopes must do; `sqlite` is one
    recorder    all of this in order: sign, verify, append, and only then return
    first_use   before it, for policies that decide for the first time, that they do
    checks      everything that can be wrong with one entry
    verify      everything that can be wrong with a ledger
    entries     an entry back as what it says, if nothing is wrong with it
    reading     an entry back as the values that were recorded
    signed      an entry back as the JSON that was signed, to be judged again
"""
