"""The options that several commands have in common."""

from watui.cli.help import SERVER, Decorated, option


def target_options(command: Decorated) -> Decorated:
    """Give a command the options that say which server is meant."""
    for name, metavar, words in (
        ("--region", "CC", "Country of the number that the server is registered with."),
        ("--profile", "NAME", "Use this profile of the settings; simulator is always there."),
        ("--url", "URL", "Ask the server at URL; its token is in WATUI_TOKEN."),
    ):
        command = option(name, metavar=metavar, section=SERVER, help=words)(command)
    return command
