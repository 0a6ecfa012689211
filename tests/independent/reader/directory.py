"""Encrypted databases (docs/FORMAT.md §5.1) and the directory (§5.7)."""

import sqlcipher3

from .crypto import expand, info
from .refused import Refused, require



def open_encrypted(path, key_and_salt):
    """Opens a SQLCipher 4 database with its defaults, by raw key and salt, and checks the HMAC of every page."""
    with open(path, "rb") as file:
        require(file.read(16) == key_and_salt[32:], f"{path.name} does not begin with its salt")
    database = sqlcipher3.connect(str(path), isolation_level=None)
    try:
        database.execute(f"PRAGMA key = \"x'{key_and_salt.hex()}'\"")
        require(not database.execute("PRAGMA cipher_integrity_check").fetchall(), f"{path.name}: damaged pages")
        require(database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], f"{path.name} is damaged")
        version = database.execute("PRAGMA user_version").fetchone()[0]
    except sqlcipher3.DatabaseError as error:
        raise Refused(f"{path.name} does not open") from error
    require(version == 1, f"{path.name} has schema {version}")
    return database


class Directory:
    def __init__(self, folder, vault, directory_key, locked=None):
        key_and_salt = expand(directory_key, info("directory-database-key", vault), 48)
        # One that waits to take the place of the other is the directory if it is of this key, unless the header says
        # which file was locked (§5.13).
        following = folder / "directory.next.db"
        waits = not locked and following.exists() and following.read_bytes()[:16] == key_and_salt[32:]
        self._database = open_encrypted(following if waits else folder / "directory.db", key_and_salt)

    def statements(self):
        """The membership chain: statement and signature of each position."""
        rows = self._database.execute("SELECT position, bytes, signature FROM statement ORDER BY position").fetchall()
        require([row[0] for row in rows] == list(range(len(rows))), "the membership chain has gaps")
        return [(row[1], row[2]) for row in rows]

    def pair_seed(self, pair, number, holder):
        query = "SELECT sealed FROM pair_seed WHERE pair = ? AND number = ? AND holder = ?"
        return self._one(query, pair, number, holder)[0]

    def pair_seeds(self):
        """Which seeds are sealed to whom: pair, number, holder."""
        return set(self._database.execute("SELECT pair, number, holder FROM pair_seed").fetchall())

    def epoch(self, tenant, epoch):
        """Tenant key for recovery, name for the office, name for those who hold the key."""
        columns = "for_recovery, name_for_office, name_for_holders"
        return self._one(f"SELECT {columns} FROM tenant_epoch WHERE tenant = ? AND epoch = ?", tenant, epoch)

    def tenant_keys(self):
        """Tenant keys sealed to accounts, by tenant, epoch and account."""
        rows = self._database.execute("SELECT tenant, epoch, account, sealed FROM tenant_key").fetchall()
        return {(tenant, epoch, account): sealed for tenant, epoch, account, sealed in rows}

    def file_roots(self):
        """Length and root of tenants' files as they were locked, by tenant and epoch."""
        rows = self._database.execute("SELECT tenant, epoch, bytes, root FROM file_root").fetchall()
        return {(tenant, epoch): (length, root) for tenant, epoch, length, root in rows}

    def exposure_reports(self):
        """What stewards reported, sealed to the office, by tenant and account."""
        rows = self._database.execute("SELECT tenant, account, sealed FROM exposure_report").fetchall()
        return {(tenant, account): sealed for tenant, account, sealed in rows}

    def manifests(self):
        return dict(self._database.execute("SELECT counter, manifest FROM backup").fetchall())

    def kinds(self):
        """Templates of the vault's own kinds, by kind."""
        return dict(self._database.execute("SELECT kind, template FROM kind").fetchall())

    def _one(self, query, *arguments):
        row = self._database.execute(query, arguments).fetchone()
        require(row, "the directory lacks a row")
        return row
