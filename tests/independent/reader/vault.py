"""A vault's folder, opened by its recovery kit: everything checked in the order in which it may be believed."""

import shutil
from pathlib import Path

from . import chain, log, notes
from .crypto import XWing, expand, hmac_sha256, info, label, open_sealed, open_sealed_by_any, sha256, u64, unwrap
from .directory import Directory
from .encoding import BOOL, TEXT, UNSIGNED, Exactly, decode
from .header import Header
from .kit import Kit
from .refused import require
from .tenant import TYPES, TenantDatabase

# kind, name, fields: type, name, what it stands for, options; a name is a word of the interface (true) or a text
NAME = (BOOL, TEXT)
REPORT = (UNSIGNED, UNSIGNED, UNSIGNED, UNSIGNED, [(UNSIGNED, Exactly(16))], [(UNSIGNED, UNSIGNED)])
TEMPLATE = (TEXT, TEXT, [(UNSIGNED, NAME, UNSIGNED, [NAME])])


class Vault:
    """Opens a copy of the vault, since SQLite writes beside the files that it reads."""

    def __init__(self, folder, kit, scratch):
        """`kit` is the text of one, or a kit that shares were joined to."""
        self.folder = Path(scratch) / "copy"
        shutil.copytree(folder, self.folder)
        self.kit = Kit(kit) if isinstance(kit, str) else kit
        self.header = Header((self.folder / "header").read_bytes())
        self.id = self.header.vault
        require(self.id == self.kit.vault, "the kit of another vault")

        # 1. The directory key, which the header has for recovery, and with it the header's MAC.
        generation = self.header.directory_generation
        context = info("seal/directory-key-to-recovery", self.id, u64(generation))
        directory_key = open_sealed(self.kit.sealing, self.header.directory_key_for_recovery, context)
        self.header.verify(directory_key)
        locked = self.header.directory_root
        require(not locked or locked == log.file_root(self.folder / "directory.db"), "the directory is not as it was locked")

        # 2. The membership chain: the one whose founding the kit names, with the kit's recovery keys.
        self.directory = Directory(self.folder, self.id, directory_key, locked)
        self.membership = chain.replay(self.id, self.directory.statements())
        require(self.membership.heads[0] == self.kit.founding, "a chain of another founding")
        of_kit = (self.kit.sealing.public, self.kit.verifying_key, self.kit.age_public_key)
        require(self.membership.recovery[:3] == of_kit, "a chain for another kit")
        split = self.membership.recovery[3]
        require(self.header.share_digests == (split and split[1]), "the header's shares are not the chain's")
        of_chain = (self.membership.directory_generation, self.membership.directory_kid)
        kid = expand(directory_key, info("directory-kid", self.id, u64(generation)), 32)
        require((generation, kid) == of_chain, "a directory key that is not the chain's")
        require(self.header.audit_public_key == self.membership.audits[-1], "the header's audit key is not the chain's")
        # What the chain does not back is what a kill has left, and nobody believes it. An invitation that the header lacks
        # was never handed out; one to which the directory key is not sealed has expired.
        accounts = set(self.membership.accounts)
        require(accounts <= set(self.header.accounts), "the header lacks an account of the chain")
        require(accounts <= set(self.header.directory_key_for), "a directory key is sealed to too few")

        # 3. The pairs that several accounts share, the ones in use last.
        self.audits = self._pairs("audit", self.membership.audits)
        self.offices = self._pairs("office", self.membership.offices)

        # 4. Tenants, by name.
        self._file_roots = self.directory.file_roots()
        self.tenants = {}
        for tenant, known in self.membership.tenants.items():
            if known.epoch:
                name, database = self._open_tenant(tenant, known.epoch)
                self.tenants[name] = (tenant, database)

        # 5. The digests of what was not opened, as the chain has them.
        self._check_sealed_to_accounts()
        self._check_manifests()
        self.kinds = self._templates()
        self.reports = self._reports()

    def log(self):
        """The log's entries; every write matched with its effect."""
        known = {**self.membership.former, **self.membership.accounts}
        keys = [(account, key) for account, person in known.items() for key in (person.signing, *person.signed_with)]
        signers = [notes.account_signer(account, key) for account, key in keys]
        signers += [notes.device_signer(self.id, key) for key in self.membership.devices]
        read = log.read(self.folder, self.id, self.audits, signers)
        for _, (tenant, database) in self.tenants.items():
            self._match_effects(read, tenant, self.membership.tenants[tenant].epoch.number, database)
        return read

    def _pairs(self, name, public_keys):
        pairs = []
        holder = bytes(12) + (len(self.membership.recoveries) - 1).to_bytes(4, "big")
        for number, public in enumerate(public_keys, 1):
            sealed = self.directory.pair_seed(name, number, holder)
            context = info(f"seal/{name}-seed-to-recovery", self.id, u64(number))
            pairs.append(XWing(open_sealed(self.kit.sealing, sealed, context)))
            require(pairs[-1].public == public, f"the {name} pair is not the chain's")
        return pairs

    def _open_tenant(self, tenant, epoch):
        for_recovery, name_for_office, name_for_holders = self.directory.epoch(tenant, epoch.number)
        require(sha256(for_recovery) == epoch.recovery_digest, "the tenant key is not the one of the statement")
        require(sha256(name_for_office) == epoch.name_for_office_digest, "the name is not the one of the statement")
        require(sha256(name_for_holders) == epoch.name_for_holders_digest, "the name is not the one of the statement")
        scope = (self.id, tenant, u64(epoch.number))
        key = open_sealed(self.kit.sealing, for_recovery, info("seal/tenant-key-to-recovery", *scope))
        require(expand(key, info("kid", *scope), 32) == epoch.kid, "the tenant key has another KID")
        name = unwrap(key, name_for_holders, info("tenant-name", self.id, tenant))
        to_office = info("seal/to-office", self.id, b"tenant-name", tenant)
        # To the key that the office had then.
        require(open_sealed_by_any(self.offices, name_for_office, to_office) == name, "the office was given another name")
        path = self.folder / "tenants" / f"{epoch.file.hex()}.db"
        self._check_file_root(path, tenant, epoch)
        return name.decode("utf-8"), TenantDatabase(path, key, self.id, tenant, epoch.number)

    def _check_file_root(self, path, tenant, epoch):
        """A file that was locked cleanly is still the one that was locked. Looked at before SQLite opens it."""
        locked = self._file_roots.get((tenant, epoch.number))
        require(not locked or locked == log.file_root(path), f"{path.name} is not as it was locked")

    def _check_sealed_to_accounts(self):
        sealed = self.directory.tenant_keys()
        for (tenant, account), grant in self.membership.grants.items():
            epoch = self.membership.tenants[tenant].epoch
            given = sealed.get((tenant, epoch.number, account), b"")
            require(sha256(given) == grant.sealed_digest, "a tenant key is not the one that was granted")

    def _check_manifests(self):
        manifests = self.directory.manifests()
        for counter, digest in self.membership.backups.items():
            require(sha256(manifests.get(counter, b"")) == digest, "a backup's manifest is not the one of its receipt")

    def _reports(self):
        """Secrets seen that are the same, that are others, and further ones that could be read; entries of the log then, those
        under which secrets were seen, and those of deleted ones; by tenant and account."""
        sealed, reports = self.directory.exposure_reports(), {}
        for (tenant, account), digest in self.membership.reported.items():
            report = sealed[tenant, account]
            require(sha256(report) == digest, "a report is not the one of its statement")
            context = info("seal/to-office", self.id, b"exposure-report", tenant, account)
            reports[tenant, account] = decode(open_sealed_by_any(self.offices, report, context), REPORT)
        return reports

    def _templates(self):
        """Templates of the vault's own kinds: name and fields (type, name, role, options) by kind."""
        rows, templates = self.directory.kinds(), {}
        require(set(rows) == set(self.membership.kinds), "kinds that no statement backs, or the other way round")
        for kind, digest in self.membership.kinds.items():
            require(sha256(rows[kind]) == digest, "a template is not the one of its statement")
            named, name, fields = decode(rows[kind], TEMPLATE)
            require(named == kind, "the template of another kind")
            require(all(code in TYPES for code, *_ in fields), "a template with an unknown type")
            templates[kind] = (name, [[TYPES[code], *rest] for code, *rest in fields])
        return templates

    def _match_effects(self, read, tenant, epoch, database):
        def tag_of(index):
            return hmac_sha256(database.tag_key, label("write-tag"), u64(index))[:16]

        writes = {index for index, tag in enumerate(read.tags) if tag and tag == tag_of(index)}
        named = {index for index, tag in enumerate(read.tags) if tag and read.entries[index]["tenant"] == tenant}
        applied, settled = database.applied(), database.settled()
        require(not applied & settled, "a write that both happened and did not")
        done = applied | settled
        # Tags of an earlier epoch are under a key that nobody has any more.
        earlier = named - writes
        require(writes <= named and earlier <= done, "an entry's effect tag is not its tenant's")
        require(not earlier or epoch > 1 and max(earlier) < min(writes, default=len(read.tags)), "a tag of an earlier epoch")
        writes = named
        missing = writes - done
        # One write may be missing, the newest: that is what a crash leaves until the tenant is next opened.
        left_by_crash = len(missing) == 1 and min(missing) > max(done, default=-1)
        require(done <= writes and (not missing or left_by_crash), "writes and their effects do not match")
