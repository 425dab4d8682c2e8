# shellcheck shell=bash
# One namespace per lab with a bridge, one per host with a cable to it. No route leads out, and the same subnet serves all labs.

network_name() { echo "hf-$id"; }
network_of() { echo "hf-$id-$1"; }

network_create() {
    local net
    net=$(network_name)
    ip netns add "$net"
    ip -n "$net" link set lo up
    ip -n "$net" link add br0 type bridge
    ip -n "$net" addr add $subnet.1/24 dev br0
    ip -n "$net" link set br0 up
}

# network_connect HOST NUMBER: a fresh namespace for each boot, so that no firewall of the last one lives on.
network_connect() {
    local host=$1 number=$2 net of
    net=$(network_name)
    of=$(network_of "$host")
    network_disconnect "$host"
    ip netns add "$of"
    ip -n "$of" link set lo up
    ip -n "$of" link add host0 type veth peer name "port$number" netns "$net"
    ip -n "$net" link set "port$number" master br0 up
    ip -n "$of" addr add "$subnet.$((10 + number))/24" dev host0
    ip -n "$of" link set host0 up
    ip -n "$net" neigh flush dev br0  # the address has a new MAC
}

network_disconnect() {
    local of
    of=$(network_of "$1")
    if [ -e "/run/netns/$of" ]; then ip netns del "$of"; fi
}

network_link() { ip -n "$(network_name)" link set "port$(cat "$lab/hosts/$1/number")" "$2"; }

network_exec() { exec nsenter --net="/run/netns/$(network_name)" -- "$@"; }

network_remove() {
    local net
    net=$(network_name)
    if [ -e "/run/netns/$net" ]; then ip netns del "$net"; fi
}
