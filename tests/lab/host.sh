# shellcheck shell=bash
# One host: an overlay over the image, a network namespace, control groups, and systemd booted in it by systemd-nspawn.

# Folders of the hierarchies in which each host gets a group of its own, so that two systemds never share one: version 1
# (systemd's named hierarchy and those that count), version 2, or both.
cgroup_roots() {
    local root=/sys/fs/cgroup part
    if [ -e $root/cgroup.procs ]; then
        [ ! -w $root/cgroup.procs ] || echo $root
        return
    fi
    [ -w $root/systemd/cgroup.procs ] || return 0
    for part in systemd cpuacct memory pids unified; do
        [ ! -w $root/$part/cgroup.procs ] || echo $root/$part
    done
}

# Whatever still runs in the host's groups is the host's, also when its start was interrupted before it was written down.
cgroup_remove() {
    local root folder pid n=0
    for root in $(cgroup_roots); do
        folder=$root/holdfast-lab-$id-$1
        while [ -d "$folder" ] && ! find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null; do
            for pid in $(find "$folder" -name cgroup.procs -exec cat {} + 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || true; done
            n=$((n + 1))
            [ $n -lt 100 ] || fail "control group '$folder' does not become empty"
            sleep 0.1
        done
    done
}

host_address() { echo "$subnet.$((10 + $(cat "$lab/hosts/$1/number")))"; }
host_key() { cut -d' ' -f1,2 "$lab/hosts/$1/hostkey.pub"; }

host_up() {
    local host lower
    lower=$(image)
    for host in "$@"; do [ -d "$lab/hosts/$host" ] || host_make "$host" "$lower"; done
    host_boot_all "$@"
}

# Overlays cannot lie on an overlay (a container's disk): then the hosts' own layers live in memory.
storage_prepare() {
    if [ "$(stat -f -c %T "$lab/hosts")" = overlayfs ]; then mount -t tmpfs -o mode=755 holdfast-lab "$lab/hosts"; fi
}

host_make() {
    local host=$1 folder=$lab/hosts/$1
    [[ $host =~ ^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$ ]] || fail "'$host' is no name for a host"
    storage_prepare
    mkdir "$folder"
    find "$lab/hosts" -mindepth 1 -maxdepth 1 -type d | wc -l > "$folder/number"
    mkdir "$folder/upper" "$folder/work" "$folder/root"
    echo "$2" > "$folder/lower"
    ssh-keygen -q -t ed25519 -N '' -C "$host" -f "$folder/hostkey"
    host_mount "$host"
    host_furnish "$host" "$folder/root"
}

host_mount() {
    local folder=$lab/hosts/$1
    if mountpoint -q "$folder/root"; then return; fi
    mount -t overlay overlay -o "lowerdir=$(cat "$folder/lower"),upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
}

# What makes a host this one: its name, its identity for systemd and for ssh, and who may log in.
host_furnish() {
    local host=$1 root=$2 folder=$lab/hosts/$1
    echo "$host" > "$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$host" > "$root/etc/hosts"
    random_hex 16 > "$root/etc/machine-id"
    echo >> "$root/etc/machine-id"
    install -m 600 "$folder/hostkey" "$root/etc/ssh/ssh_host_ed25519_key"
    install -m 644 "$folder/hostkey.pub" "$root/etc/ssh/ssh_host_ed25519_key.pub"
    install -d -m 700 "$root/root/.ssh"
    install -m 600 "$lab/key.pub" "$root/root/.ssh/authorized_keys"
    install -d -m 700 -o 1000 -g 1000 "$root/home/deploy/.ssh"
    install -m 600 -o 1000 -g 1000 "$lab/key.pub" "$root/home/deploy/.ssh/authorized_keys"
}

host_boot_all() {
    local host
    for host in "$@"; do host_boot "$host"; done
    for host in "$@"; do host_await "$host"; done
}

host_boot() {
    local host=$1 folder=$lab/hosts/$1 root
    [ -d "$folder" ] || fail "there is no host '$host' in this lab"
    if process_alive "$folder/nspawn"; then return; fi
    host_mount "$host"
    network_connect "$host" "$(cat "$folder/number")"
    for root in $(cgroup_roots); do mkdir -p "$root/holdfast-lab-$id-$host"; done
    rm -f "$folder/leader"
    (
        for root in $(cgroup_roots); do echo "$BASHPID" > "$root/holdfast-lab-$id-$host/cgroup.procs"; done
        exec setsid systemd-nspawn --quiet --register=no --keep-unit --capability=CAP_NET_ADMIN,CAP_SYS_PTRACE \
            --network-namespace-path="/run/netns/$(network_of "$host")" --directory="$folder/root" --machine="$host" \
            --bind-ro="$lab/apt:/srv/apt" --boot --console=read-only
    ) > "$folder/console.log" 2>&1 < /dev/null 9>&- &
    process_mark $! > "$folder/nspawn"
}

# The host's first process: the descendant of nspawn that is number 1 in its own process namespace.
host_find_leader() {
    local folder=$lab/hosts/$1 pid ids
    if process_alive "$folder/leader"; then return; fi
    for pid in $(cat "/proc/$(process_id "$folder/nspawn")/task/"*/children 2>/dev/null); do
        ids=$(sed -n 's/^NSpid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || continue
        if [[ $ids =~ [[:space:]]1$ ]]; then
            process_mark "$pid" > "$folder/leader"
            return
        fi
    done
    return 1
}

host_await() {
    local host=$1 folder=$lab/hosts/$1 n=0
    until host_find_leader "$host" && host_ready "$host"; do
        n=$((n + 1))
        if [ $n -gt 600 ] || ! process_alive "$folder/nspawn"; then
            tail -n 20 "$folder/console.log" >&2
            fail "host '$host' did not boot; its console's last lines are above"
        fi
        sleep 0.1
    done
}

host_ready() {
    case $(host_enter "$1" systemctl is-system-running 2>/dev/null || true) in
        running | degraded) ;;
        *) return 1 ;;
    esac
    [ "$(host_enter "$1" systemctl is-active ssh.service 2>/dev/null || true)" = active ]
}

host_enter() {
    local leader
    host_find_leader "$1" || fail "host '$1' is not running"
    leader=$(process_id "$lab/hosts/$1/leader")
    shift
    nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb "$@"
}

host_exec() { host_enter "$@"; }

host_ssh() {
    local host=$1
    shift
    known_hosts > "$lab/known_hosts"
    network_exec ssh -F /dev/null -i "$lab/key" -o IdentitiesOnly=yes -o "UserKnownHostsFile=$lab/known_hosts" \
        -o LogLevel=ERROR -o ConnectTimeout=10 "${HOLDFAST_LAB_USER:-root}@$(host_address "$host")" "$@"
}

# An orderly shutdown; SIGRTMIN+4 is systemd's word for it.
host_stop() {
    local folder=$lab/hosts/$1
    if host_find_leader "$1"; then process_kill "$folder/leader" RTMIN+4; fi
    process_await_end "$folder/nspawn" 600 || true
    host_halt "$1"
}

# The power is cut. What was written stays, as on a disk.
host_halt() {
    local folder=$lab/hosts/$1
    if host_find_leader "$1" 2>/dev/null; then process_kill "$folder/leader" KILL; fi
    if [ -e "$folder/nspawn" ]; then
        process_await_end "$folder/nspawn" 100 || process_kill "$folder/nspawn" KILL
        process_await_end "$folder/nspawn" 100 || fail "the processes of '$1' do not end"
    fi
    rm -f "$folder/nspawn" "$folder/leader"
    network_disconnect "$1"
    cgroup_remove "$1"
}

host_remove() {
    local folder=$lab/hosts/$1 n=0
    while mountpoint -q "$folder/root"; do
        if umount "$folder/root" 2>/dev/null; then break; fi
        n=$((n + 1))
        if [ $n -gt 50 ]; then umount -l "$folder/root"; fi
        sleep 0.1
    done
    rm -rf --one-file-system "$folder"
}
