#!/bin/sh
# The database by SQLite's own backup, and the configuration beside it.
set -eu
umask 077
to=/opt/cvd/backups/$(date +%Y%m%dT%H%M%S)
sqlite3 /opt/cvd/data/cvd.db ".backup '$to.db'"
tar -C /opt/cvd -czf "$to.tar.gz" config
find /opt/cvd/backups -type f -mtime +14 -delete
