# PostgreSQL servers of a demonstration's or a measurement's own, on ports of this machine. Sourced by Tools/demo and
# Tools/load, after "Tools/setup --postgresql". Each server has a folder, which it makes.

postgresql=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
declare -A postgresql_pids=()

# PostgreSQL does not run as root.
as_postgresql() {
    if ((EUID == 0)); then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi
}

# postgresql_start FOLDER: starts a server, and waits until it answers.
postgresql_start() {
    local folder=$1 port
    port=$(cat "$folder.port")
    as_postgresql "$postgresql/postgres" -D "$folder" >>"$folder.log" 2>&1 &
    postgresql_pids[$folder]=$!
    for _ in $(seq 300); do
        "$postgresql/pg_isready" -q -h 127.0.0.1 -p "$port" && return
        sleep 0.1
    done
    cat "$folder.log" >&2
    echo "error: PostgreSQL did not start" >&2
    return 1
}

postgresql_configure() {
    local folder=$1 port=$2
    echo "$port" >"$folder.port"
    as_postgresql tee -a "$folder/postgresql.auto.conf" >/dev/null <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_keep_size = 256MB
END
}

# postgresql_primary FOLDER PORT: makes and starts a server with a database "roundrobin" and its user.
postgresql_primary() {
    local folder=$1 port=$2
    install -d -m 700 "$folder"
    if ((EUID == 0)); then chown postgres: "$folder"; fi
    as_postgresql "$postgresql/initdb" -D "$folder" -A trust -U postgres --no-instructions >"$folder.log" 2>&1
    postgresql_configure "$folder" "$port"
    postgresql_start "$folder"
    postgresql_ask "$folder" "CREATE ROLE roundrobin LOGIN" "GRANT pg_monitor TO roundrobin" \
        "CREATE DATABASE roundrobin OWNER roundrobin"
}

# postgresql_standby FOLDER PORT PRIMARY: makes and starts a standby of the server in the folder PRIMARY.
postgresql_standby() {
    local folder=$1 port=$2 primary=$3
    install -d -m 700 "$folder"
    if ((EUID == 0)); then chown postgres: "$folder"; fi
    as_postgresql "$postgresql/pg_basebackup" -D "$folder" -R -c fast \
        -d "host=127.0.0.1 port=$(cat "$primary.port") user=postgres application_name=${folder##*/}" >"$folder.log" 2>&1
    postgresql_configure "$folder" "$port"
    postgresql_start "$folder"
}

# postgresql_wait_for FOLDER STANDBY: lets every commit on a server wait for that standby.
postgresql_wait_for() {
    local folder=$1 standby=$2
    postgresql_ask "$folder" "ALTER SYSTEM SET synchronous_standby_names = '$standby'" \
        "SELECT pg_reload_conf()" >/dev/null
    for _ in $(seq 300); do
        [[ $(postgresql_ask "$folder" "SELECT sync_state FROM pg_stat_replication") == sync ]] && return
        sleep 0.1
    done
    return 1
}

# postgresql_ask FOLDER STATEMENT...: asks as the server's operator.
postgresql_ask() {
    local folder=$1 statement options=()
    shift
    for statement in "$@"; do options+=(-c "$statement"); done
    "$postgresql/psql" -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(cat "$folder.port")" -U postgres "${options[@]}" \
        postgres
}

# postgresql_stop FOLDER: stops a server, as if it had crashed.
postgresql_stop() {
    as_postgresql "$postgresql/pg_ctl" stop -D "$1" -m immediate -w >/dev/null 2>&1 || true
}

# postgresql_promote FOLDER: makes a standby the primary.
postgresql_promote() { as_postgresql "$postgresql/pg_ctl" promote -D "$1" -w >/dev/null; }

# postgresql_stop_all: stops all of them.
postgresql_stop_all() {
    local folder
    for folder in "${!postgresql_pids[@]}"; do postgresql_stop "$folder"; done
}
