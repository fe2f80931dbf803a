#!/bin/sh
# Makes the virtual environment that the image runs, from the directory with the sources:
#   build.sh dependencies TARGET    what Headroom needs, from the hash-checked lock
#   build.sh program TARGET         Headroom itself
# The Dockerfile calls it, and so does a test that has no Docker engine at hand.
set -eu
step=$1
target=$2

# As in the image, nothing but the lock says what is installed, and nobody's settings have a say in it.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1

case $step in
dependencies)
  python3 -m venv "$target"
  "$target/bin/python" -m pip install --quiet --require-hashes -r requirements.lock
  ;;
program)
  # What builds the wheel stays behind: it has an environment of its own.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  python3 -m venv "$work/venv"
  "$work/venv/bin/python" -m pip install --quiet --require-hashes -r requirements-build.lock
  "$work/venv/bin/python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheel" .
  "$target/bin/python" -m pip install --quiet --no-deps --no-index "$work"/wheel/headroom-*.whl
  "$target/bin/python" -m pip uninstall --quiet --yes pip setuptools
  # The tree is read-only when it runs, so it is compiled now.
  python3 -m compileall -q "$target/lib"
  ;;
*)
  echo "build.sh: there is no step $step" >&2
  exit 2
  ;;
esac
