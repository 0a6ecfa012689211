"""Reads a vault by its recovery kit, from docs/FORMAT.md alone. It uses no code of Coffer's.

One module for each chapter, so that it can be read beside the text:

    encoding.py    §2  identifiers, deterministic CBOR
    header.py      §3  the header
    crypto.py      §4  derivation, wrapping, sealing, signatures
    kit.py         §4  the recovery kit
    activation.py  §3, §4  activation codes and invitations
    account.py     §3, §4  an account's entry and key slot
    directory.py   §5  encrypted databases, the directory
    chain.py       §5  the membership chain
    tenant.py      §5  a tenant's database
    attachment.py  §4, §5  files attached to records
    log.py         §6  the log
    notes.py       §6  signed notes and checkpoints
    backup.py      §7, §9  backups and their manifest
    vault.py           all of it together

Whatever does not hold raises `Refused`. Nothing that a signature, a MAC or a digest vouches for is used before it was
checked.
"""
