"""The state that everything is measured with, as each competitor wants it: from state.tsv and fleet/."""
import json
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
EXTRAS = 10


def rows():
    for line in (HERE / "state.tsv").read_text().splitlines():
        yield line.split("\t")


def directories():
    return [row for row in rows() if row[4] == "directory"]


def files():
    return [row for row in rows() if row[4] != "directory"]


def copy_fleet(target):
    """The fleet with the ten files of two kilobytes that are not worth keeping in a repository."""
    shutil.copytree(HERE / "fleet", target)
    for number in range(1, EXTRAS + 1):
        lines = [f"# Extra settings {number:02}"]
        lines += [f"section{number:02}.option_{k:02} = value-{number:02}-{k * number:03}  # of a realistic size" for k in range(40)]
        (target / "deploy/web/files" / f"extra-{number:02}.conf").write_text("\n".join(lines) + "\n")


def observation():
    text = (HERE / "observe.sh").read_text()
    return text.replace("@FILES@", " ".join(row[0] for row in files())).replace("@DIRECTORIES@", " ".join(row[0] for row in directories()))


def cfengine_archive(work, fleet):
    """What is delivered to CFEngine: policy and files as one archive."""
    folder = work / "cfengine"
    shutil.copytree(fleet / "deploy/web/files", folder / "files")
    entry = lambda row, **more: json.dumps({"path": row[0], "owner": row[1], "group": row[2], "mode": row[3], **more})
    policy = (HERE / "cfengine.cf.in").read_text()
    policy = policy.replace("@DIRECTORIES@", ",\n".join(entry(row) for row in directories()))
    plain = [row for row in files() if row[4] != "sudoers-cvd"]
    policy = policy.replace("@FILES@", ",\n".join(entry(row, source=row[4], **{"class": row[5]}) for row in plain))
    (folder / "web.cf").write_text(policy)
    subprocess.run(["chmod", "-R", "go-w", folder], check=True)
    archive = work / "cfengine.tar"
    subprocess.run(["tar", "-C", work, "-cf", archive, "cfengine"], check=True)
    return archive
