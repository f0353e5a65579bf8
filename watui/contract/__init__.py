"""What both ends of the wire agree on. No I/O; section numbers are those of contract.md beside this file."""
