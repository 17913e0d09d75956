#!/usr/bin/env bash
# Makes this Debian 12 machine one of the three nodes of docs/scale.md, or brings it up to date:
#
#   ./set-up-node.sh --new-passwords >passwords     once, on one machine; copy this folder to all three
#   ./set-up-node.sh NODE NODE NODE [DESK …]        on each, as root, the same on all three
#
# NODE is the IPv4 address of a node, and one of them must be this machine's. DESK is the address of
# a machine that the desk runs on, or a network such as 10.0.0.0/24. Running it again changes only
# what differs; a running PostgreSQL is reloaded, never restarted.
#
# With --files in front it only writes the configuration, below $ROOT. tests/failover does that.
set -euo pipefail
shopt -s inherit_errexit

PATRONI=4.1.5
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=${ROOT:-}
WATCHDOG=${WATCHDOG:-required}
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

fail() {
    echo "set-up-node: $*" >&2
    exit 1
}

new_passwords() {
    local name
    for name in SUPERUSER REPLICATION REWIND HAZINA BACKUP; do
        echo "${name}_PASSWORD=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
    done
}

read_passwords() {
    local file=${PASSWORDS:-$HERE/passwords} name value
    [ -f "$file" ] || fail "there is no $file: make it once with --new-passwords, for all three nodes"
    while IFS='=' read -r name value; do
        [[ $name =~ ^[A-Z]+_PASSWORD$ && $value =~ ^[A-Za-z0-9]{16,}$ ]] ||
            fail "$file: a line is no NAME_PASSWORD=… of sixteen or more letters and digits"
        declare -g "$name=$value"
    done <"$file"
    for name in SUPERUSER REPLICATION REWIND HAZINA BACKUP; do
        name=${name}_PASSWORD
        [ -n "${!name:-}" ] || fail "$file has no $name"
    done
}

is_address() {
    local part
    [[ $1 =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]] || return 1
    for part in ${1//./ }; do ((10#$part <= 255)) || return 1; done
}

# Which of the nodes this is, and what the others' names and addresses are in each file.
read_nodes() {
    local own number=0 node
    own=" $(ip -o -4 addr show | awk '{ sub("/.*", "", $4); printf "%s ", $4 }')"
    NODES=("${@:1:3}")
    DESKS=("${@:4}")
    [ "$(printf '%s\n' "${NODES[@]}" | sort -u | wc -l)" = 3 ] || fail "the three addresses are not three"
    NAME='' ADDRESS='' ETCD_HOSTS='' ETCD_MEMBERS='' HBA=''
    for node in "${NODES[@]}"; do
        is_address "$node" || fail "$node is no IPv4 address"
        number=$((number + 1))
        if [[ $own == *" $node "* ]]; then
            [ -z "$NAME" ] || fail "$ADDRESS and $node are both addresses of this machine"
            NAME=node$number ADDRESS=$node
        fi
        ETCD_HOSTS+="${ETCD_HOSTS:+, }\"$node:2379\""
        ETCD_MEMBERS+="${ETCD_MEMBERS:+,}node$number=http://$node:2380"
        HBA+="    - hostssl replication replicator $node/32 scram-sha-256"$'\n'
        HBA+="    - hostssl postgres rewinder $node/32 scram-sha-256"$'\n'
    done
    [ -n "$NAME" ] || fail "none of the three is an address of this machine: it has$own"
    for node in "${NODES[@]}" "${DESKS[@]}"; do
        is_address "${node%/*}" || fail "$node is no IPv4 address or network"
        [[ $node == */* ]] || node=$node/32
        HBA+="    - hostssl hazina hazina $node scram-sha-256"$'\n'
    done
    HBA=${HBA%$'\n'}
}

joined() {
    local all
    printf -v all '%s, ' "$@"
    echo "${all%, }"
}

# Write TARGET from a template, and say so, if it is not that already.
fill() {
    local text name target=$ROOT$2 mode=${3:-644} owner=${4:-root}
    text=$(cat "$HERE/$1"; echo .)
    text=${text%.}
    for name in ROOT NAME ADDRESS ETCD_HOSTS ETCD_MEMBERS HBA SHARED_BUFFERS MAX_WAL_SIZE ARCHIVE_COMMAND \
        WATCHDOG SUPERUSER_PASSWORD REPLICATION_PASSWORD REWIND_PASSWORD BACKUP_PASSWORD; do
        text=${text//"@$name@"/"${!name}"}
    done
    text=${text//"@NODES@"/"$(joined "${NODES[@]}")"}
    text=${text//"@CLIENTS@"/"$(joined "${NODES[@]}" "${DESKS[@]}")"}
    [[ ! $text =~ @[A-Z_]+@ ]] || fail "$1: nothing fills in ${BASH_REMATCH[0]}"
    if ! [ -f "$target" ] || [ "$(cat "$target"; echo .)" != "$text." ]; then
        install -D -m "$mode" -o "$owner" -g "$owner" /dev/null "$target"
        printf '%s' "$text" >"$target"
        echo "wrote $target"
    fi
    chown "$owner:$owner" "$target"
    chmod "$mode" "$target"
}

# TLS without an authority: clients prove by channel binding that the server at the other end of the
# connection is the one that knows their password (SCRAM), so the certificate need not be known.
make_certificate() {
    local folder=$ROOT/etc/patroni
    if ! [ -f "$folder/node.key" ]; then
        (
            umask 077
            openssl req -x509 -newkey rsa:2048 -sha256 -nodes -days 7300 -subj "/CN=$NAME" \
                -keyout "$folder/node.key.new" -out "$folder/node.crt" 2>/dev/null
        )
        chown postgres:postgres "$folder/node.key.new" "$folder/node.crt"
        mv "$folder/node.key.new" "$folder/node.key"
    fi
}

write_files() {
    SHARED_BUFFERS=${SHARED_BUFFERS:-$(awk '/^MemTotal/ { print int($2 / 4096) "MB" }' /proc/meminfo)}
    MAX_WAL_SIZE=${MAX_WAL_SIZE:-4GB}
    ARCHIVE_COMMAND=${ARCHIVE_COMMAND:-pgbackrest --stanza=hazina archive-push %p}
    fill etcd.env /etc/default/etcd
    fill patroni.yml /etc/patroni/patroni.yml 600 postgres
    fill pgbackrest.conf /etc/pgbackrest.conf 600 postgres
    fill firewall.nft /etc/patroni/firewall.nft
    fill patroni.service /etc/systemd/system/patroni.service
    fill hazina-firewall.service /etc/systemd/system/hazina-firewall.service
    fill hazina-backup.service /etc/systemd/system/hazina-backup.service
    fill hazina-backup.timer /etc/systemd/system/hazina-backup.timer
    make_certificate
}

check_watchdog() {
    [ "$WATCHDOG" = required ] || return 0
    modprobe softdog 2>/dev/null || true
    [ -e /dev/watchdog ] ||
        fail "there is no /dev/watchdog, and no module softdog: with WATCHDOG=off in front it goes without;" \
            "docs/scale.md says what that costs"
}

install_packages() {
    echo "installing Debian's packages"
    apt-get update -qq
    # Debian makes a cluster of its own with the server's package, unless it is told before.
    if ! [ -d /etc/postgresql-common ]; then
        apt-get install -y -qq postgresql-common >/dev/null
        sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
    fi
    # etcd would start alone with Debian's settings: it is started below, with ours.
    systemctl list-unit-files etcd.service --no-legend | grep -q . ||
        systemctl mask -q etcd.service 2>/dev/null
    apt-get install -y -qq postgresql-15 etcd-server etcd-client pgbackrest python3-venv nftables \
        openssl curl iproute2 >/dev/null
    systemctl is-active -q etcd.service || systemctl unmask -q etcd.service
    if systemctl is-active -q etcd.service && ! [ -d /var/lib/etcd/hazina ]; then
        fail "another etcd runs on this machine: if nobody needs it, systemctl disable --now etcd"
    fi
    if pg_lsclusters -h | grep -q .; then
        fail "Debian's own cluster is on this machine: if nobody needs it, pg_dropcluster --stop 15 main"
    fi
    if [ "$(/opt/patroni/bin/patroni --version 2>/dev/null)" != "patroni $PATRONI" ]; then
        echo "installing Patroni $PATRONI"
        rm -rf /opt/patroni
        python3 -m venv /opt/patroni
        /opt/patroni/bin/pip install --quiet --disable-pip-version-check \
            "patroni[psycopg3,etcd3]==$PATRONI"
    fi
    ln -sf /opt/patroni/bin/patronictl /usr/local/bin/patronictl
}

make_folders() {
    install -d -m 700 -o postgres -g postgres /var/lib/postgresql/15
    install -d -m 750 -o postgres -g postgres /var/lib/pgbackrest /var/log/pgbackrest
    install -d -m 700 -o etcd -g etcd /var/lib/etcd
}

# etcd waits until a second node has started, so nothing is waited for here.
start() {
    systemctl daemon-reload
    systemctl enable -q hazina-firewall.service
    systemctl restart hazina-firewall.service || fail "the firewall cannot be loaded: journalctl -u hazina-firewall"
    systemctl enable -q etcd.service patroni.service
    systemctl enable -q --now hazina-backup.timer
    systemctl start --no-block etcd.service
    if systemctl is-active -q patroni.service; then
        systemctl reload patroni.service
    else
        systemctl start --no-block patroni.service
    fi
}

only_files=no
case ${1:-} in
--new-passwords)
    new_passwords
    exit
    ;;
--files)
    only_files=yes
    shift
    ;;
esac
[ $# -ge 3 ] || fail "usage: set-up-node.sh NODE NODE NODE [DESK …]"
[ "$(id -u)" = 0 ] || fail "run it as root"
read_passwords
if [ $only_files = yes ]; then
    read_nodes "$@"
    write_files
    exit
fi
[ -z "$ROOT" ] || fail "ROOT is for --files"
grep -qs '^VERSION_ID="12"' /etc/os-release || fail "this is for Debian 12"
read_nodes "$@"
check_watchdog
install_packages
make_folders
write_files
start
echo "$NAME is set up. When all three are: patronictl -c /etc/patroni/patroni.yml list"
