# shellcheck shell=bash
# What has to be installed from Debian, each group with its reason. Sourced after common.sh.

# packages_need PURPOSE…: build, servers, look, checks.
packages_need() {
    local purpose
    for purpose in "$@"; do
        case $purpose in
        build)
            packages_install "to build the program" gcc libc6-dev cmake ninja-build pkg-config git tzdata librdkafka-dev \
                libavro-dev libpq-dev uuid-dev libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libyaml-dev libcmocka-dev
            ;;
        servers)
            packages_install "for a real Kafka and a real Postgres to work with" ca-certificates python3 python3-venv maven \
                default-jre-headless postgresql postgresql-client
            ;;
        look) packages_install "to look into topics" kcat ;;
        checks) packages_install "for the second compiler, the sanitizers and the style checks" clang clang-format shellcheck ;;
        *) fail "packages_need: $purpose?" ;;
        esac
    done
}

package_is_installed() {
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# packages_install REASON PACKAGE…: installs what is missing of them, and says what and why.
packages_install() {
    local reason=$1 package missing=()
    shift
    for package in "$@"; do
        package_is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        fail "this is not Debian (there is no apt-get); install yourself what these packages bring: ${missing[*]}"
    step "installing from Debian, $reason: ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "neither root nor sudo: as root, run: apt-get install ${missing[*]}"
        step "this needs root: sudo may ask for your password"
    fi
    # A first Postgres package makes a cluster of its own and starts it; nobody asked for that one.
    local no_cluster=/etc/postgresql-common/createcluster.d/booking-worker.conf is_first_postgres=false
    if [[ " ${missing[*]} " == *" postgresql "* ]] && ! package_is_installed postgresql-common; then
        is_first_postgres=true
        as_root mkdir -p "${no_cluster%/*}"
        echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
    fi
    mkdir -p "$BOOKING_CACHE/log"
    logged "$BOOKING_CACHE/log/apt-update.log" as_root apt-get update
    logged "$BOOKING_CACHE/log/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
    if $is_first_postgres; then as_root rm -f "$no_cluster"; fi
}
