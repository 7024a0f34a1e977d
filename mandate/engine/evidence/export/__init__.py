"""A ledger as plain files: to be kept elsewhere, verified with common tools, and restored from.

    README.md                    how to verify all of this, written for who has nothing but these files
    checkpoint                   the newest head (C2SP tlog-checkpoint), with witnesses' signatures
    snapshots/<size>.json        one a run: what the export was when the ledger had that many entries
    sums/<size>/<n>.sha256       the files that the run added, as `sha256sum` reads them
    entries/…/<first>-<last>.jsonl   the DSSE envelopes byte for byte, one a line
    heads/…/<first>-<last>.jsonl     all heads that were signed while those entries were appended
    cosignatures/<size>.jsonl    what witnesses signed since the snapshot before
    tile/…                       the Merkle tree (C2SP tlog-tiles): every proof follows from it
    proofs/<size>-<size>         the consistency proof from one snapshot to the next
    keys/, policies/, schemas/   who signed, what judged, what the statements mean

No file is ever changed once it is written, `checkpoint` alone excepted: so an export fits a store that keeps
what it has (WORM), a run that was cut off goes on where it was, and a later run adds only what is new.
"""
