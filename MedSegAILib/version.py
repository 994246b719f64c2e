"""The one version number of library, module and command line."""

VERSION = "0.1.0"
