"""The `watui` command. stdout is data, stderr is talk."""
