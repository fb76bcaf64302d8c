# shellcheck shell=bash
# What is fetched once and kept under .cache: the Python environment, Apache Kafka, the schema registry, promtool. Sourced
# after common.sh and packages.sh. Each is built beside its place and moved there when it is whole, so that an interrupted
# run leaves nothing half; a lock keeps two runs from building the same one.

KAFKA_VERSION=4.1.1
LOG4J_VERSION=2.25.3
REGISTRY_VERSION=2.6.13.Final
DEPENDENCY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

# fetch WHAT…: python, kafka, registry, promtool.
fetch() {
    local what
    mkdir -p "$BOOKING_CACHE/log"
    exec {lock}>"$BOOKING_CACHE/lock"
    flock "$lock"
    for what in "$@"; do "fetch_$what"; done
    exec {lock}>&-
}

# The clients and test tools of requirements.txt, pinned.
fetch_python() {
    local wanted=$BOOKING_LIB/requirements.txt venv=$BOOKING_CACHE/venv
    if cmp -s "$wanted" "$venv/requirements.txt" && "$venv/bin/python" -c 'import confluent_kafka, psycopg' 2>/dev/null; then
        return 0
    fi
    step "making a Python environment with Kafka and Avro clients (from PyPI)"
    rm -rf "$venv"
    logged "$BOOKING_CACHE/log/venv.log" "$SYSTEM_PYTHON" -m venv "$venv"
    logged "$BOOKING_CACHE/log/pip.log" "$venv/bin/python" -m pip install --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

# fetch_artifacts DIRECTORY DEPENDENCIES GOAL…: runs Maven over a generated pom with these <dependency> elements.
fetch_artifacts() {
    local directory=$1 dependencies=$2
    shift 2
    rm -rf "$directory"
    mkdir -p "$directory"
    cat >"$directory/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>booking</groupId>
  <artifactId>servers</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
$dependencies
  </dependencies>
</project>
POM
    logged "$BOOKING_CACHE/log/maven-${directory##*/}.log" \
        mvn --batch-mode --strict-checksums --file "$directory/pom.xml" "$@"
}

dependency() {
    printf '    <dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>%s</dependency>\n' \
        "$1" "$2" "$3" "${4:-}"
}

fetch_kafka() {
    local place=$BOOKING_CACHE/kafka-$KAFKA_VERSION building=$BOOKING_CACHE/kafka.part
    [[ -d $place ]] && return 0
    step "getting Apache Kafka $KAFKA_VERSION from Maven Central"
    fetch_artifacts "$building" "$(
        dependency org.apache.kafka kafka_2.13 "$KAFKA_VERSION"
        dependency org.apache.kafka kafka-tools "$KAFKA_VERSION"
        dependency org.apache.logging.log4j log4j-slf4j-impl "$LOG4J_VERSION"
        dependency org.apache.logging.log4j log4j-core "$LOG4J_VERSION"
    )" "$DEPENDENCY_PLUGIN:copy-dependencies" "-DoutputDirectory=$building/jars"
    mv -T "$building" "$place"
}

fetch_registry() {
    local place=$BOOKING_CACHE/registry-$REGISTRY_VERSION building=$BOOKING_CACHE/registry.part
    [[ -d $place ]] && return 0
    step "getting the Apicurio schema registry $REGISTRY_VERSION from Maven Central"
    fetch_artifacts "$building" "$(
        dependency io.apicurio apicurio-registry-app "$REGISTRY_VERSION" '<type>tar.gz</type><classifier>all</classifier>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
    )" "$DEPENDENCY_PLUGIN:unpack-dependencies" "-DoutputDirectory=$building/app"
    mv -T "$building" "$place"
}

# The tool alone: Debian's package would also start a server that nobody asked for.
fetch_promtool() {
    local place=$BOOKING_CACHE/promtool building=$BOOKING_CACHE/promtool.part
    [[ -d $place ]] && return 0
    step "getting promtool from Debian's package prometheus"
    rm -rf "$building"
    mkdir -p "$building/bin"
    apt-cache show prometheus >/dev/null 2>&1 || logged "$BOOKING_CACHE/log/apt-update.log" as_root apt-get update
    (cd "$building" && logged "$BOOKING_CACHE/log/promtool.log" apt-get -o APT::Sandbox::User=root download prometheus)
    dpkg-deb --fsys-tarfile "$building"/prometheus_*.deb | tar -xO ./usr/bin/promtool >"$building/bin/promtool"
    chmod +x "$building/bin/promtool"
    rm "$building"/prometheus_*.deb
    mv -T "$building" "$place"
}

# build_preset PRESET [TARGET…]: configures and builds one preset of CMakePresets.json.
build_preset() {
    local preset=$1
    shift
    step "building build/$preset (its output: .cache/log/build-$preset.log)"
    mkdir -p "$BOOKING_CACHE/log"
    logged "$BOOKING_CACHE/log/configure-$preset.log" cmake -S "$BOOKING_ROOT" --preset "$preset"
    logged "$BOOKING_CACHE/log/build-$preset.log" cmake --build "$BOOKING_ROOT/build/$preset" ${1:+--target "$@"}
}
