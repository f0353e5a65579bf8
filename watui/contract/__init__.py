"""What both ends of the wire agree on. No I/O; section numbers are those of the contract in the README."""
