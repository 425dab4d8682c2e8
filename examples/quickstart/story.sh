# shellcheck shell=bash disable=SC2154
# The parts of a story that an example tells; its `run` puts them together. $story names it: its folder, its lab, its controller.

story=${story:-quickstart}
work=$top/build/$story
lab=$top/tests/lab/lab

step() { printf '\n\033[1m== %s\033[0m\n' "$*" | colour; }
colour() { if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }
run_shown() {
    echo "\$ ${*//$top\//}"
    "$@"
}
program() { find "$top/build/release" -name "$1" -type f -perm -u+x | head -n 1; }

told_to_stop() { echo; echo "The story ended early; what there is can be looked at in ${work#"$top"/}, and $here/stop removes it." >&2; }

build_holdfast() {
    step "Building holdfast (the first time takes some minutes)"
    packaging/install-dependencies build
    cmake --preset release > /dev/null
    ninja -C build/release --quiet holdfast holdfast-host
    holdfast=$(program holdfast)
    runner=$(program holdfast-host)
    "$holdfast" --version
}

# --- hosts

make_hosts() {
    step "Booting two systemd hosts, in a network of their own without a way out"
    mkdir -p "$work"
    HOLDFAST_LAB=$("$lab" create "$story" --keep)
    export HOLDFAST_LAB
    ln -sfn "$HOLDFAST_LAB" "$work/lab"
    "$lab" up staging1 production1
    for host in staging1 production1; do echo "$host: $("$lab" ip $host), $("$lab" exec $host systemctl is-system-running)"; done
    fleet=$here/fleet
}

make_folders() {
    step "Two folders in place of hosts"
    mkdir -p "$work"/hosts/{staging1,production1}/{opt,etc/systemd/system}
    echo "${work#"$top"/}/hosts/staging1 and .../production1"
    fleet=$here/fleet-local
}

in_lab() { if [ -n "$local_only" ]; then "$@"; else "$lab" in "$@"; fi; }

# --- the repository and its users

make_repository() {
    git init --quiet --bare --initial-branch=main "$work/remote.git"
    git init --quiet --initial-branch=main "$work/fleet"
    cp -r "$fleet/." "$work/fleet/"
    for host in staging1 production1; do place_host "$host" "$work/fleet/deploy/environments/${host%1}.yaml"; done
    git -C "$work/fleet" config user.name "You"
    git -C "$work/fleet" config user.email you@example.com
    git -C "$work/fleet" add .
    git -C "$work/fleet" commit --quiet -m "Describe what runs, and where"
    git -C "$work/fleet" branch develop
    git -C "$work/fleet" remote add origin "$work/remote.git"
    git -C "$work/fleet" push --quiet origin main develop
}

# The example names documentation addresses; here are the real ones, with the keys that the hosts made at their birth.
place_host() {
    if [ -n "$local_only" ]; then
        sed -i "s|/tmp/holdfast-quickstart|$work/hosts|g" "$2"
    else
        sed -i -E "s|address: [^,]*|address: $("$lab" ip "$1")|; s|hostKey: \"[^\"]*\"|hostKey: \"$("$lab" hostkey "$1")\"|" "$2"
    fi
}

edit() { sed -i -E "$1" "$work"/fleet/app/*; }

break_release() {
    if [ -n "$local_only" ]; then
        # shellcheck disable=SC2016
        edit 's/^greeting=.*/greeting=$GREETING_FROM_ENVIRONMENT/'
    else
        edit 's/^    status = "healthy"$/    status = os.environ.get("GREETING", "no greeting configured")/'
    fi
}

# merge_change BRANCH SUBJECT: what was edited becomes a commit of a topic branch, and that is merged.
merge_change() {
    local fleet=$work/fleet
    git -C "$fleet" checkout --quiet -B topic "$1"
    git -C "$fleet" commit --quiet --all -m "$2"
    merge topic "$1" "$2"
    git -C "$fleet" show --format= topic | grep -E '^[-+][^-+]' | sed 's/^/    /'
}

merge() {
    local fleet=$work/fleet
    git -C "$fleet" checkout --quiet "$2"
    git -C "$fleet" merge --quiet --no-ff -m "Merge: $3" "$1"
    git -C "$fleet" push --quiet origin "$2"
    echo "merged $1 into $2: $(git -C "$fleet" log -1 --format='%h %s' "$2")"
}

release_of() { git -C "$work/fleet" rev-parse "$1"; }

# --- the controller

start_controller() {
    mkdir -p "$work/state"
    cat > "$work/holdfast.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Controller
metadata: {name: $story}
spec:
  repository: {url: "file://$work/remote.git"}
  poll: 2s
  state: $work/state
  runner: $runner
$([ -n "$local_only" ] || echo "  ssh: {identity: $("$lab" key), agent: false}")
END
    : > "$work/controller.log"
    "$work/holdfast" run > "$work/controller.log" 2>&1 < /dev/null &
    mark $! > "$work/controller.pid"
    echo "\$ holdfast run --config ${work#"$top"/}/holdfast.yaml &"
}

# `holdfast` with this story's settings, in the network of its hosts: what the reader types afterwards.
make_wrapper() {
    mkdir -p "$work"
    {
        echo "#!/bin/sh"
        echo "export HOLDFAST_CONFIG='$work/holdfast.yaml'"
        if [ -n "$local_only" ]; then
            echo "exec '$holdfast' \"\$@\""
        else
            echo "export HOLDFAST_LAB='$HOLDFAST_LAB'"
            echo "exec '$lab' in '$holdfast' \"\$@\""
        fi
    } > "$work/holdfast"
    chmod +x "$work/holdfast"
}

# A process by id and start time: an id that was given anew is not ours.
mark() { echo "$1 $(started "$1")"; }
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# --- waiting and looking

log_shown=0
show_log() {
    local size
    size=$(stat -c %s "$work/controller.log")
    tail -c "+$((log_shown + 1))" "$work/controller.log" | head -c $((size - log_shown)) | sed 's/^/  | /'
    log_shown=$size
}

# wait_for TEXT CONDITION...: shows what the controller logs until the condition holds.
wait_for() {
    local text=$1 until=$((SECONDS + 180))
    shift
    until "$@"; do
        show_log
        if [ $SECONDS -ge $until ]; then
            echo "waited three minutes in vain until $text; the controller's log is $work/controller.log" >&2
            exit 1
        fi
        sleep 0.3
    done
    show_log
    echo "=> $text"
}

health_of() {
    if [ -n "$local_only" ]; then
        "$work/hosts/${1}1/opt/greeter/app/greet" --health 2>/dev/null
    else
        in_lab curl --silent --max-time 2 "http://$("$lab" ip "${1}1")/health"
    fi
}
# deployed ENVIRONMENT COMMIT: the controller says that it is there and healthy, and it answers.
deployed() { stands "$1" "converged +${2:0:12}" && [[ $(health_of "$1") == *healthy*"$2"* ]]; }
deployed_everywhere() { deployed staging "$1" && deployed production "$1"; }
# held ENVIRONMENT COMMIT GOOD: the commit is held there, and the good one answers.
held() { stands "$1" "held +${3:0:12} +${2:0:12}" && [[ $(health_of "$1") == *healthy*"$3"* ]]; }
stands() { [[ $("$work/holdfast" status "$1" 2>/dev/null || true) =~ ${1}1\ +$2 ]]; }

greet() {
    for name in staging production; do
        if [ -n "$local_only" ]; then
            run_shown "$work/hosts/${name}1/opt/greeter/app/greet"
        else
            echo "\$ curl http://${name}1/"
            in_lab curl --silent --max-time 5 "http://$("$lab" ip ${name}1)/"
        fi
    done
}

farewell() {
    step "To try next (the controller goes on running; its log is ${work#"$top"/}/controller.log)"
    cat <<END
  ${work#"$top"/}/holdfast status                 how everything stands
  ${work#"$top"/}/holdfast show 1                 one deployment in full
  ${work#"$top"/}/holdfast plan staging           what would change
  ${work#"$top"/}/holdfast rollback production    back to the release before
  cd ${work#"$top"/}/fleet                        the repository: repair the release, commit, 'git push origin develop'
END
    if [ -z "$local_only" ]; then
        echo "  HOLDFAST_LAB=$HOLDFAST_LAB tests/lab/lab ssh staging1"
        echo "                                              log in, spoil a file below /opt/greeter, watch it being repaired"
    fi
    echo "  examples/quickstart/stop                    removes the hosts and everything else of this story"
}
