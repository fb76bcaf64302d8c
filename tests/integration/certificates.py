"""A certificate authority of a test's own and the servers' certificates that it signs, made by openssl."""
import pathlib
import subprocess


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, check=True)


class Authority:
    """Makes files in its directory: NAME.pem, what clients are to trust, and the servers' keys with their certificates."""

    def __init__(self, directory, name="authority"):
        self.directory = pathlib.Path(directory)
        self.key, self.certificate = self.directory / f"{name}.key", self.directory / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj", f"/CN={name}",
                "-keyout", self.key, "-out", self.certificate)

    def sign(self, path, names="IP:127.0.0.1"):
        """Key and certificate of a server that is called so, in one file."""
        key, request, certificate = (self.directory / f"server.{end}" for end in ("key", "csr", "crt"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a server of a test",
                "-addext", f"subjectAltName={names}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", 2,
                "-copy_extensions", "copy", "-out", certificate)
        path.write_bytes(key.read_bytes() + certificate.read_bytes())
        return path
