"""What was said on the wire, for people: why it was sent, as a command for curl, as a HAR file."""
