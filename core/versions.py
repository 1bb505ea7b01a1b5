"""The versions that a measured number depends on."""

import platform
from importlib.metadata import PackageNotFoundError, version

CONVSCOPE = "0.1.0"
PACKAGES = ("torch", "albumentations", "numpy")


def installed_versions() -> dict[str, str]:
    """The versions of ConvScope, of Python and of the packages that compute, found without importing them."""
    versions = {"convscope": CONVSCOPE, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
