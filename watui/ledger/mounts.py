"""Which file system a path is on, as far as Linux tells it."""

import os
import re
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")

_OF_A_SERVER = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "smbnetfs", "afpfs", "afs", "coda", "ncpfs", "davfs", "davfs2")
_OF_A_LOGIN = ("sshfs", "curlftpfs", "rclone", "s3fs", "juicefs", "gvfsd-fuse")
_OF_A_CLUSTER = ("ceph", "ceph-fuse", "glusterfs", "lustre", "beegfs", "orangefs", "gfs2", "ocfs2")
_OF_A_HOST = ("9p", "virtiofs", "drvfs", "vboxsf", "vmhgfs", "vmhgfs-fuse", "prl_fs", "grpcfuse", "osxfs")

NETWORKED = frozenset(_OF_A_SERVER + _OF_A_LOGIN + _OF_A_CLUSTER + _OF_A_HOST)
"""File systems that other machines write to as well: processes at two ends of them share no memory."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


def is_networked(path: Path, mountinfo: Path = MOUNTINFO) -> str | None:
    """Return the name of the file system at `path` where it is one of NETWORKED; None also where nobody can tell."""
    try:
        place, lines = path.resolve(), os.fsdecode(mountinfo.read_bytes()).split("\n")
    except (OSError, RuntimeError):
        return None
    depth, found = 0, ""
    for line in lines:
        mount, _, system = line.partition(" - ")
        if system:
            point = Path(_unescape(mount.split(" ")[4]))
            # Of several at one place, the last one hides the others.
            if place.is_relative_to(point) and len(point.parts) >= depth:
                depth, found = len(point.parts), system.split(" ")[0]
    return found if found.removeprefix("fuse.") in NETWORKED else None


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
