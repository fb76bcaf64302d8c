"""What processes have used, from /proc."""
import os
import pathlib

TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat from the state on; None when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None


def cpu_seconds(pid):
    """User and system time of one process."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_seconds_with_children(parent):
    """The same for a server with a process per connection: its own, that of its living children, and that of those that
    have ended. Nobody who is measured may end at this very moment: between the two looks it would be lost."""
    fields = _stat(parent)
    ticks = sum(int(field) for field in fields[11:15])
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            child = _stat(entry.name)
            if child and child[1] == str(parent):
                ticks += sum(int(field) for field in child[11:15])
    return ticks / TICK


def peak_memory_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmHWM")
