"""An archive the program exported is read with nothing but Python's own library: every value is found."""

import hashlib
import json
import shutil
import subprocess
import tarfile

import pytest
from conftest import CHECKLIST, FLOOR_PLAN, GATEWAY, LOGIN, Coffer

TENANT = "ACME GmbH"


@pytest.fixture(scope="module")
def archive(made, tmp_path_factory):
    """Exported from a copy of the vault, so that the log of the one that others read stays as it is."""
    home = tmp_path_factory.mktemp("archive")
    coffer, folder, file = Coffer(home), home / "vault", home / "acme.tar"
    shutil.copytree(made.folder, folder)
    vault = ("--vault", folder, "--login", LOGIN)
    [report] = coffer(*vault, "export", file, "--tenant", TENANT, "--format", "archive", "--confirm", TENANT)
    assert report["records"] == 1 and report["bytes"] == file.stat().st_size
    return coffer, vault, file


def members(file):
    with tarfile.open(file, "r:") as tar:
        found = tar.getmembers()
        assert all(member.isreg() and member.mode == 0o600 for member in found)
        return {member.name: tar.extractfile(member).read() for member in found}


def test_every_value_is_in_the_archive_and_every_digest_fits(archive):
    _, _, file = archive
    inside = members(file)
    names = ["README.txt", "kinds.json", "files/1", "files/2", "records.jsonl", "manifest.json", "SHA256SUMS"]
    assert list(inside) == names
    manifest = json.loads(inside["manifest.json"])
    assert manifest["format"] == "coffer.archive/1" and manifest["tenant"] == TENANT and manifest["made_by"] == LOGIN
    assert [entry["path"] for entry in manifest["contents"]] == names[:-2]
    for entry in manifest["contents"]:
        content = inside[entry["path"]]
        assert entry["bytes"] == len(content) and entry["sha256"] == hashlib.sha256(content).hexdigest()
    sums = "".join(f"{hashlib.sha256(inside[name]).hexdigest()}  {name}\n" for name in names[:-1])
    assert inside["SHA256SUMS"].decode() == sums
    assert TENANT in inside["README.txt"].decode()

    [record] = map(json.loads, inside["records.jsonl"].decode().splitlines())
    members_in_order = "key kind title tags notes fields created_at changed_at trashed_at attachments versions"
    assert list(record) == members_in_order.split()

    def held(part):
        fields = [(field["name"], field["type"], field["value"]) for field in part["fields"]]
        return {**{name: part[name] for name in ("kind", "title", "tags", "notes")}, "fields": fields}

    assert held(record) == {**GATEWAY, "tags": sorted(GATEWAY["tags"])} and record["trashed_at"] is None
    assert [version["version"] for version in record["versions"]] == [1, 2, 3, 4, 5]
    assert held(record["versions"][0]) == {**GATEWAY, "tags": [], "notes": ""}
    assert all(held(version) == held(record) for version in record["versions"][1:])
    assert all(version["changed_by"] == LOGIN and version["made_at"] is None for version in record["versions"])
    assert record["changed_at"] == record["versions"][-1]["changed_at"]

    plan, checklist = record["attachments"]
    assert (plan["name"], plan["attached"], plan["detached"]) == ("floor plan.png", 3, None)
    assert (checklist["name"], checklist["attached"], checklist["detached"]) == ("checklist.txt", 4, 5)
    for attachment, content in ((plan, FLOOR_PLAN), (checklist, CHECKLIST)):
        assert inside[attachment["file"]] == content and attachment["bytes"] == len(content)
        assert attachment["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["counts"] == {"records": 1, "trashed": 0, "versions": 5, "attachments": 2}


def test_stock_tools_unpack_it_and_check_every_digest(archive, tmp_path):
    _, _, file = archive
    subprocess.run(["tar", "-xf", file, "-C", tmp_path], check=True)
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "files/1").read_bytes() == FLOOR_PLAN


def test_an_archive_that_another_program_wrote_is_refused(archive, tmp_path):
    coffer, vault, file = archive
    inside = members(file)
    coffer(*vault, "tenant", "create", "Elsewhere")
    for name, content in [("../escape", b""), ("/tmp/escape", b""), ("files/1", b"other")]:
        made = tmp_path / "made.tar"
        with tarfile.open(made, "w", format=tarfile.USTAR_FORMAT) as tar:
            for known, bytes_of in {**inside, name: content}.items():
                member = tarfile.TarInfo(known)
                member.size = len(bytes_of)
                with (tmp_path / "content").open("w+b") as source:
                    source.write(bytes_of)
                    source.seek(0)
                    tar.addfile(member, source)
        [] = coffer(*vault, "import", made, "--tenant", "Elsewhere", expect=1)
    assert not (tmp_path.parent / "escape").exists()
