"""scripts/fetch-data against a server of our own on 127.0.0.1."""

import gzip
import hashlib
import http.server
import io
import os
import pathlib
import shutil
import socket
import subprocess
import tarfile
import tempfile
import threading
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "fetch-data"
MNIST_FILES = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
]
BATCHES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves server.files, with ranges; server.cuts[path] are lengths after which transfers break off."""

    def do_GET(self):
        content = self.server.files.get(self.path)
        range_header = self.headers.get("Range")
        self.server.requests.append((self.path, range_header))
        if content is None:
            self.send_error(404)
            return
        start = 0
        if range_header and self.server.has_ranges:
            start = int(range_header.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cuts = self.server.cuts.get(self.path)
        self.wfile.write(body[: cuts.pop(0)] if cuts else body)

    def log_message(self, *arguments):
        pass


def pseudorandom(name, size):
    return hashlib.shake_128(name.encode()).digest(size)


def environment_without_proxies():
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def cifar10_archive(names):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = 3073
            archive.addfile(info, io.BytesIO(pseudorandom(name, 3073)))
    return packed.getvalue()


class FetchData(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="halftone-fetch-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.dest = self.directory / "data"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.files, self.server.cuts, self.server.requests = {}, {}, []
        self.server.has_ranges = True
        self.mirror = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.manifest = []
        for name in MNIST_FILES:
            self.publish("mnist", name, gzip.compress(pseudorandom(name, 50000), mtime=0))

    def publish(self, set_name, file, content):
        self.server.files[f"/{set_name}/{file}"] = content
        self.manifest.append(f"{set_name} {file} {hashlib.md5(content).hexdigest()}")

    def run_script(self, *arguments, mirror=None):
        manifest = self.directory / "manifest"
        manifest.write_text("\n".join(self.manifest) + "\n")
        command = [SCRIPT, "--dest", self.dest, "--mirror", mirror or self.mirror, "--manifest", manifest, *arguments]
        return subprocess.run(command, env=environment_without_proxies(), capture_output=True, text=True, timeout=120)

    def assert_fails(self, result, *texts):
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("fetch-data: "), result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def assert_has_mnist(self):
        folder = self.dest / "mnist"
        self.assertEqual(sorted(p.name for p in folder.iterdir()), sorted(MNIST_FILES))
        for name in MNIST_FILES:
            self.assertEqual((folder / name).read_bytes(), self.server.files[f"/mnist/{name}"])

    def test_downloads(self):
        result = self.run_script("mnist")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assert_has_mnist()

    def test_keeps_files_that_are_right_and_replaces_others(self):
        self.run_script("mnist")
        self.server.requests.clear()
        (self.dest / "mnist" / MNIST_FILES[1]).write_bytes(b"something else")
        self.assertEqual(self.run_script("mnist").returncode, 0)
        self.assertEqual([path for path, _ in self.server.requests], [f"/mnist/{MNIST_FILES[1]}"])
        self.assert_has_mnist()

    def test_goes_on_after_a_broken_transfer(self):
        path = f"/mnist/{MNIST_FILES[0]}"
        self.server.cuts[path] = [20000]
        self.assertEqual(self.run_script("mnist").returncode, 0)
        self.assertIn((path, "bytes=20000-"), self.server.requests)
        self.assert_has_mnist()

    def test_resumes_in_the_next_run(self):
        path = f"/mnist/{MNIST_FILES[0]}"
        self.server.cuts[path] = [10000, 5000, 1000]
        self.assert_fails(self.run_script("mnist"), MNIST_FILES[0])
        self.assertEqual([p.name for p in (self.dest / "mnist").iterdir()], [MNIST_FILES[0] + ".part"])
        self.server.requests.clear()
        self.assertEqual(self.run_script("mnist").returncode, 0)
        self.assertEqual(self.server.requests[0], (path, "bytes=16000-"))
        self.assert_has_mnist()

    def test_starts_over_where_the_server_has_no_ranges(self):
        self.server.has_ranges = False
        self.server.cuts[f"/mnist/{MNIST_FILES[0]}"] = [10000]
        self.assertEqual(self.run_script("mnist").returncode, 0)
        self.assert_has_mnist()

    def test_starts_over_from_a_part_that_is_wrong(self):
        part = self.dest / "mnist" / (MNIST_FILES[0] + ".part")
        part.parent.mkdir(parents=True)
        for size in (100, 50000, 100000):
            part.write_bytes(b"x" * size)
            result = self.run_script("mnist")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assert_has_mnist()
            (self.dest / "mnist" / MNIST_FILES[0]).unlink()

    def test_uses_a_part_that_is_whole(self):
        part = self.dest / "mnist" / (MNIST_FILES[0] + ".part")
        part.parent.mkdir(parents=True)
        part.write_bytes(self.server.files[f"/mnist/{MNIST_FILES[0]}"])
        self.assertEqual(self.run_script("mnist").returncode, 0)
        self.assertNotIn(f"/mnist/{MNIST_FILES[0]}", [path for path, _ in self.server.requests])
        self.assert_has_mnist()

    def test_refuses_a_wrong_hash_and_leaves_nothing(self):
        self.server.files[f"/mnist/{MNIST_FILES[0]}"] = b"not what was published"
        self.assert_fails(self.run_script("mnist"), "MD5", MNIST_FILES[0])
        self.assertEqual(list((self.dest / "mnist").iterdir()), [])

    def test_missing_file(self):
        del self.server.files[f"/mnist/{MNIST_FILES[3]}"]
        self.assert_fails(self.run_script("mnist"), "404", MNIST_FILES[3])
        self.assertEqual(sorted(p.name for p in (self.dest / "mnist").iterdir()), sorted(MNIST_FILES[:3]))

    def test_server_down(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        self.assert_fails(self.run_script("mnist", mirror=f"http://127.0.0.1:{port}"), "cannot download", "127.0.0.1")
        self.assertEqual(list((self.dest / "mnist").iterdir()), [])

    def test_unpacks_cifar10(self):
        self.publish("cifar10", "cifar-10-binary.tar.gz", cifar10_archive(BATCHES))
        result = self.run_script("cifar10")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        folder = self.dest / "cifar10"
        self.assertEqual(sorted(p.name for p in folder.iterdir()), sorted(BATCHES))
        self.assertEqual((folder / "test_batch.bin").read_bytes(), pseudorandom("test_batch.bin", 3073))
        self.server.requests.clear()
        self.assertEqual(self.run_script("cifar10").returncode, 0)
        self.assertEqual(self.server.requests, [])

    def test_refuses_an_archive_without_a_batch(self):
        self.publish("cifar10", "cifar-10-binary.tar.gz", cifar10_archive(BATCHES[1:]))
        self.assert_fails(self.run_script("cifar10"), "data_batch_1.bin")
        self.assertEqual(list((self.dest / "cifar10").glob("*.bin")), [])

    def test_refuses_what_is_no_archive(self):
        self.publish("cifar10", "cifar-10-binary.tar.gz", b"not an archive")
        self.assert_fails(self.run_script("cifar10"), "cannot unpack")
        self.assertEqual(list((self.dest / "cifar10").glob("*.bin")), [])

    def test_all(self):
        for name in MNIST_FILES:
            self.publish("fashion-mnist", name, pseudorandom("fashion" + name, 1000))
        self.publish("cifar10", "cifar-10-binary.tar.gz", cifar10_archive(BATCHES))
        self.assertEqual(self.run_script("all").returncode, 0)
        self.assertEqual(sorted(p.name for p in self.dest.iterdir()), ["cifar10", "fashion-mnist", "mnist"])

    def test_paths_with_spaces_and_the_data_variable(self):
        dest = self.directory / "a place"
        manifest = self.directory / "manifest"
        manifest.write_text("\n".join(self.manifest))
        result = subprocess.run([SCRIPT, "--mirror", self.mirror + "/", "--manifest", manifest, "mnist"],
                                env={**environment_without_proxies(), "HALFTONE_DATA": str(dest)}, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(p.name for p in (dest / "mnist").iterdir()), sorted(MNIST_FILES))

    def test_wrong_usage(self):
        for arguments in ([], ["cifar100"], ["--dest"], ["--mirror"]):
            result = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assert_fails(result)

    def test_unwritable_destination(self):
        self.dest.write_text("a file")
        self.assert_fails(self.run_script("mnist"), "cannot create")

    def test_missing_manifest_and_set_not_in_it(self):
        result = subprocess.run([SCRIPT, "--manifest", self.directory / "none", "mnist"], capture_output=True, text=True)
        self.assert_fails(result, "cannot read")
        self.assert_fails(self.run_script("cifar10"), "no files of cifar10")

    def test_help(self):
        result = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("--manifest", result.stdout)


if __name__ == "__main__":
    unittest.main()
