"""A transparency log as values: what is signed, what is proven, and how it is checked. It knows no store.

    merkle       the tree of RFC 6962: roots, inclusion and consistency proofs
    note         text with signatures (C2SP signed-note)
    checkpoint   the signed head of a log (C2SP tlog-checkpoint)
    cosignature  the signature of a witness on a head (C2SP tlog-cosignature)
    proof        an entry's proof in one text (C2SP tlog-proof)

Whatever bytes the functions that read are given, they answer with a value or with `BadInput`.
"""
