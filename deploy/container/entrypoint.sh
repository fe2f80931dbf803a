#!/bin/sh
# What a container does: `server`, `worker` or `migrate`; anything else is a command of `headroom`.
set -eu
case ${1:-server} in
server)
  [ $# -gt 0 ] && shift
  # Migrations are a step of their own, and the jobs a process of their own.
  exec headroom serve --no-migrate --no-worker "$@"
  ;;
*)
  exec headroom "$@"
  ;;
esac
