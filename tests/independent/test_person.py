"""What is handed over about a person is a tar file, and what of it was masked stands in the tenant as exposed."""

import json
import shutil
import tarfile

from conftest import GATEWAY, LOGIN, Coffer
from reader.encoding import id_bytes

TENANT = "ACME GmbH"
HANDED_OVER = 3


def test_masked_values_that_are_handed_over_are_on_record(made, open_vault, tmp_path):
    coffer, folder, file = Coffer(tmp_path), tmp_path / "vault", tmp_path / "person.tar"
    shutil.copytree(made.folder, folder)
    [secret] = [value for name, _, value in GATEWAY["fields"] if name == "Password"]
    identifiers = tmp_path / "identifiers"
    identifiers.write_text(secret + "\n", encoding="utf-8")
    vault = ("--vault", folder, "--login", LOGIN)
    [report] = coffer(
        *vault, "subject", "export", "--tenant", TENANT, "--identifiers-file", identifiers, "--to", file
    )
    with tarfile.open(file, "r:") as tar:
        person = json.loads(tar.extractfile("person.json").read())
    [record] = person["records"]
    versions = [version["version"] for version in record["versions"]]
    assert report["versions"] == len(versions) > 1
    assert all(secret in [field["value"] for field in version["fields"]] for version in record["versions"])

    opened, _, _ = open_vault(folder)
    key = id_bytes(made.record.split(".")[1])
    exposures = opened.tenants[TENANT][1].exposures()
    handed = sorted((row[2], row[0]) for row in exposures if row[3] == HANDED_OVER)
    assert handed == [(version, key) for version in versions]
