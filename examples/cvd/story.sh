# shellcheck shell=bash disable=SC2154
# What this story has beside the quickstart's parts: another place for the hosts' addresses, a login, migrations.

domain_of() { if [ "$1" = production ]; then echo cvd.example.com; else echo "$1.cvd.example.com"; fi; }

place_host() {
    sed -i -E "s|name: $1, address: [^,]*, hostKey: \"[^\"]*\"|name: $1, address: $("$lab" ip "$1"), hostKey: \"$("$lab" hostkey "$1")\"|" \
        "$work/fleet/deploy/environments.yaml"
}

# browse ENVIRONMENT PATH [CURL-ARGUMENT...]
browse() {
    local environment=$1 path=$2 domain
    domain=$(domain_of "$1")
    shift 2
    "$lab" in curl --silent --insecure --max-time 5 --resolve "$domain:443:$("$lab" ip "${environment}1")" "$@" "https://$domain$path"
}

health_of() { browse "$1" /health; }

# The health check of the story: revision and status are in one JSON text, in any order.
deployed() { stands "$1" "converged +${2:0:12}" && answers "$1" "$2"; }
held() { stands "$1" "held +${3:0:12} +${2:0:12}" && answers "$1" "$3"; }
answers() { [[ $(health_of "$1") == *"$2"*healthy* ]]; }

# add_device ENVIRONMENT NAME: logs in as a browser would, with the password of the host.
add_device() {
    local password jar=$work/cookies-$1
    # shellcheck disable=SC2016
    password=$("$lab" exec "${1}1" sed -n 's/^ADMIN_PASSWORD="\(.*\)"/\1/p' /opt/cvd/config/cvd.env)
    echo "\$ curl https://$(domain_of "$1")/login --data name=admin --data password=…"
    browse "$1" /login --cookie-jar "$jar" --header 'Accept: application/json' --data name=admin --data "password=$password"
    echo "\$ curl https://$(domain_of "$1")/api/devices --data name=$2"
    browse "$1" /api/devices --cookie "$jar" --header 'Accept: application/json' --data "name=$2"
}

look() {
    echo "\$ curl https://$(domain_of "$1")/health"
    health_of "$1"
    echo "\$ sqlite3 /opt/cvd/data/cvd.db      # on ${1}1: what is applied, and the devices"
    "$lab" exec "${1}1" sqlite3 -readonly /opt/cvd/data/cvd.db 'SELECT name FROM schema_migrations; SELECT name FROM devices'
}

add_migration() {
    echo "$2" > "$work/fleet/app/migrations/$1.up.sql"
    echo "$3" > "$work/fleet/app/migrations/$1.down.sql"
}
edit_page() { sed -i -E "$1" "$work/fleet/app/cvd/templates/start.html"; }
edit_pages_to_fail() { sed -i 's/"start.html", /"no-such-page.html", /' "$work/fleet/app/cvd/pages.py"; }

# merge_all BRANCH SUBJECT: as merge_change, with files that are new.
merge_all() {
    git -C "$work/fleet" add --all
    merge_change "$@"
}
