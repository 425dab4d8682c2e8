# shellcheck shell=bash
# The archive that the hosts' apt knows, and the only one: a folder that all of them see read-only at /srv/apt.

# apt_package NAME VERSION [POSTINST]: a package with one file that tells its version.
apt_package() {
    local name=$1 version=$2 postinst=${3:-} tree
    tree=$(mktemp -d)
    chmod 755 "$tree"
    mkdir -p "$tree/DEBIAN" "$tree/usr/share/$name"
    echo "$version" > "$tree/usr/share/$name/version"
    cat > "$tree/DEBIAN/control" <<END
Package: $name
Version: $version
Architecture: all
Maintainer: holdfast lab <lab@invalid>
Description: a package for tests
END
    if [ -n "$postinst" ]; then
        printf '#!/bin/sh\n%s\n' "$postinst" > "$tree/DEBIAN/postinst"
        chmod 755 "$tree/DEBIAN/postinst"
    fi
    dpkg-deb --root-owner-group --build "$tree" "$lab/apt/${name}_${version}_all.deb" > /dev/null
    rm -rf "$tree"
}

# Written beside and renamed, so that a host's apt never reads half a list.
apt_index() {
    local deb
    (
        cd "$lab/apt"
        for deb in *.deb; do
            dpkg-deb -f "$deb"
            echo "Filename: ./$deb"
            echo "Size: $(stat -c %s "$deb")"
            echo "SHA256: $(sha256sum "$deb" | cut -d' ' -f1)"
            echo
        done > .Packages
        mv .Packages Packages
    )
}

# apt_closure PACKAGE...: these and all that they need beside what the hosts' file system has.
apt_closure() {
    apt-get --simulate -o Dir::State::status="$(image)/var/lib/dpkg/status" -o APT::Install-Recommends=false install "$@" |
        sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p'
}

# serve_apt [PACKAGE...]: the test packages, and these of the machine's own archive with all that they need; tells every
# running host's apt.
serve_apt() {
    local host closure=()
    apt_package hello-holdfast 1.0
    apt_package hello-holdfast 1.1
    apt_package other-holdfast 1.0
    apt_package broken-holdfast 1.0 'echo "broken-holdfast: this never installs" >&2; exit 1'
    if [ $# -gt 0 ]; then
        mapfile -t closure < <(apt_closure "$@")
        chmod 755 "$lab/apt"
        [ ${#closure[@]} = 0 ] || (cd "$lab/apt" && apt-get download -qq -o APT::Sandbox::User=root "${closure[@]}") || return
    fi
    apt_index
    for host in $(hosts); do
        if process_alive "$lab/hosts/$host/nspawn"; then host_enter "$host" apt-get update -qq; fi
    done
}
