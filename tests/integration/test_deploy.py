"""deploy/kubernetes and deploy/Containerfile speak of keys, variables, files and commands that the program has."""
import pathlib
import re
import subprocess

from world import PROGRAM, environment

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
SECRETS = "/run/secrets/booking-worker"


def text_of(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


def said(*words, **variables):
    done = subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          env={**environment(), **variables}, check=False)
    return done.stdout + done.stderr


def secret_of(name):
    """The keys of one of the two Secrets."""
    (document,) = [part for part in text_of("kubernetes/secrets.example.yaml").split("\n---\n") if f"  name: {name}\n" in part]
    return set(re.findall(r"^  ([\w.-]+): ", document.split("stringData:")[1], re.MULTILINE))


def test_the_workers_configuration_is_one_that_the_program_takes(tmp_path):
    config = text_of("kubernetes/booking-worker.yaml")
    files = set(re.findall(rf"{SECRETS}/([\w.-]+)", config))
    assert files == secret_of("booking-worker")
    for name in files:
        (tmp_path / name).write_text("secret\n", encoding="utf-8")
    (tmp_path / "worker.yaml").write_text(config.replace(SECRETS, str(tmp_path)), encoding="utf-8")
    assert re.search(r"^configuration +ok ", said("check", "--config", tmp_path / "worker.yaml"), re.MULTILINE)


def test_the_migrations_variables_are_ones_that_the_program_takes(tmp_path):
    manifest = text_of("kubernetes/migration.yaml")
    assert set(re.findall(rf"{SECRETS}/([\w.-]+)", manifest)) == secret_of("booking-worker-migration")
    known = set(re.findall(r"^ +(BOOKING_\w+)$", said("run", "--help"), re.MULTILINE))
    named = set(re.findall(r"name: (BOOKING_\w+)", manifest + text_of("kubernetes/deployment.yaml")))
    assert len(named) == 4 and named <= known
    (command,) = re.findall(r"args: \[(\w+)\]", manifest)
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    assert "Postgres cannot be reached" in said(command, BOOKING_POSTGRES_CONNINFO="host=127.0.0.1 port=1 dbname=booking user=booking_migrator",
                                                BOOKING_POSTGRES_PASSWORD_FILE=str(tmp_path / "password"))


def test_pod_image_and_program_agree_on_paths_ports_and_time():
    manifest, image = text_of("kubernetes/deployment.yaml"), text_of("Containerfile")
    (config,) = re.findall(r"args: \[run, --config, (\S+)\]", manifest)
    assert f'CMD ["run", "--config", "{config}"]' in image
    assert f"mountPath: {pathlib.PurePath(config).parent}\n" in manifest and "configMapGenerator" in text_of("kubernetes/kustomization.yaml")
    (port,) = re.findall(r"http\.port = (\d+)", said("run", "--help"))
    assert f"containerPort: {port}\n" in manifest and f"EXPOSE {port}\n" in image and f"port: {port}\n" in text_of("kubernetes/metrics.yaml")
    (grace,) = re.findall(r"terminationGracePeriodSeconds: (\d+)", manifest)
    (shutdown,) = re.findall(r"shutdown: (\d+)s", text_of("kubernetes/booking-worker.yaml"))
    assert int(shutdown) < int(grace)
    assert len(set(re.findall(r"runAsUser: (\d+)", manifest + text_of("kubernetes/migration.yaml")) + re.findall(r"USER (\d+):", image))) == 1


def test_the_image_installs_what_the_program_is_built_with():
    wanted = re.findall(r"^need\(\w+ \S+ (\S+)\)$", (DEPLOY.parent / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(wanted) >= 8 and set(wanted) <= set(re.findall(r"[\w.-]+-dev", text_of("Containerfile")))
