# shellcheck shell=bash
# The file system that all hosts share as the lower layer of their overlays: built once per list of packages.

image_packages="systemd systemd-sysv dbus openssh-server nginx sqlite3 curl python3 sudo iproute2 procps
 ca-certificates logrotate cron nftables strace${HOLDFAST_LAB_PACKAGES:+ $HOLDFAST_LAB_PACKAGES}"

# Why hosts cannot be booted here, on one line; nothing where they can.
possible() {
    local why tool
    why=$(
        if [ "$(id -u)" != 0 ]; then echo "booting hosts needs root"; exit; fi
        for tool in systemd-nspawn mmdebstrap ip nsenter ssh-keygen; do
            command -v $tool > /dev/null || { echo "'$tool' is missing: packaging/install-dependencies lab"; exit; }
        done
        if ! unshare --net --mount --pid --uts --ipc --fork true 2>/dev/null; then
            echo "this machine does not let us make namespaces"; exit
        fi
        if ! unshare --net ip link add br0 type bridge 2>/dev/null; then
            echo "the kernel does not let us make a network bridge"; exit
        fi
        if [ -z "$(cgroup_roots)" ]; then echo "there is no writable control group hierarchy for systemd"; exit; fi
        overlay_possible || echo "the kernel does not let us mount overlays"
    )
    [ -z "$why" ] || { echo "$why"; return 1; }
}

# In a mount namespace of its own, on memory, so that it leaves nothing and tells nothing of the disk.
overlay_possible() {
    unshare --mount sh -c 'mount -t tmpfs none /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m &&
        mount -t overlay overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/m' 2>/dev/null
}

# The machine's own sources of its own release; what else apt knows here (other vendors' archives) is no concern of a host.
image_sources() {
    local suite=$1 file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -s "$file" ] || continue
        if grep -Ev '^[[:space:]]*#' "$file" | grep -Eq "(^|[[:space:]])$suite(-[a-z-]+)?([[:space:]]|\$)"; then echo "$file"; fi
    done
}

image_customize() {
    local root=$1
    rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
    rm -f "$root"/etc/apt/apt.conf.d/99mmdebstrap
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
    : > "$root/etc/machine-id"
    rm -f "$root/var/lib/dbus/machine-id"
    chroot "$root" useradd --create-home --shell /bin/bash deploy
    echo 'deploy ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/deploy"
    chmod 440 "$root/etc/sudoers.d/deploy"
    mkdir -p "$root/srv/apt"
    echo 'deb [trusted=yes] file:/srv/apt ./' > "$root/etc/apt/sources.list.d/lab.list"
    # Without a network they only fail, hold apt's lock, or keep a host from being idle.
    systemctl --quiet --root="$root" mask apt-daily.timer apt-daily-upgrade.timer console-getty.service \
        systemd-networkd.service systemd-timesyncd.service getty.target 2>/dev/null
}

image_build() {
    local target=$1 suite=$2 work sources
    mapfile -t sources < <(image_sources "$suite")
    [ ${#sources[@]} -gt 0 ] || fail "found no source of '$suite' below /etc/apt"
    work=$(mktemp -d "$cache/.building-XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf --one-file-system '$work'" EXIT
    echo "lab: building the hosts' file system (about a minute, kept in $cache)" >&2
    # shellcheck disable=SC2046,SC2086
    mmdebstrap --quiet --variant=minbase --mode=root --include="$(echo $image_packages | tr ' ' ',')" \
        --aptopt='Acquire::Retries "3"' $(image_apt_options) "$suite" "$work/root" "${sources[@]}" >&2 ||
        fail "mmdebstrap failed"
    image_customize "$work/root"
    mv "$work/root" "$target"
    rm -rf "$work"
    trap - EXIT
}

# A proxy that this machine's apt uses is needed to build the image too.
image_apt_options() {
    apt-config dump 2>/dev/null | sed -n 's/^\(Acquire::https\{0,1\}::Proxy\) "\([^" ]*\)";$/--aptopt=\1\\ "\2";/p' | grep -v '""' || true
}

image() {
    local suite digest
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    digest=$({ echo "$suite $image_packages"; declare -f image_customize; } | sha256sum | cut -c1-16)
    mkdir -p "$cache"
    chmod 755 "$cache"
    (
        flock 9
        [ -d "$cache/$digest" ] || image_build "$cache/$digest" "$suite"
    ) 9> "$cache/.lock"
    echo "$cache/$digest"
}
