# What a run without changes has to know of a host, as one hand-written POSIX sh: the floor for observing without a runner.
stat -c '%n %U %G %a %F' @FILES@ /opt/cvd/data/cvd.db @DIRECTORIES@
sha256sum @FILES@
readlink /etc/nginx/sites-enabled/cvd
[ -e /etc/nginx/sites-enabled/default ] && echo "the default site is there"
getent passwd cvdapp | cut -d: -f4,6,7
dpkg-query -W -f '${Package} ${db:Status-Status}\n' nginx sqlite3 curl
systemctl is-active cvd.service nginx.service cvd-backup.timer
systemctl is-enabled cvd.service nginx.service cvd-backup.timer
systemctl show -p NeedDaemonReload cvd.service cvd-backup.service cvd-backup.timer
