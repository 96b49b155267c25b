"""The upstream archives of the catalog's datasets, with made content in their true format.

As a program, ``python made_archives.py WORKLOAD...`` does in a process of its own (TensorFlow is
heavy) what ``algoperf-lite prepare WORKLOAD... --json`` does, with these archives for the real ones
and their checksums for the real checksums. CIFAR-10 and Shakespeare lie where a user would put
them by hand, Fashion-MNIST is downloaded from a server on this machine.
"""

import functools
import gzip
import http.server
import io
import struct
import sys
import tarfile
import threading

import numpy as np

CLASSES = 10
CIFAR_ROWS = 60  # in each of its six files
FASHION_ROWS = {"train": 300, "t10k": 60}
LINES = "ROMEO:\nBut soft, what light & 3 'windows' break? It is the East; yon-der!\n\n$ZXQ jk.\n"
SHAKESPEARE = LINES * 300


def cifar10():
    """``{file name: (labels, images [N, 32, 32, 3])}``; each class has a brightness of its own."""
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    return {name: _images(seed, CIFAR_ROWS, 32, 3) for seed, name in enumerate(names)}


def fashion_mnist():
    """``{file stem: (labels, images [N, 28, 28, 1])}``."""
    return {name: _images(9, rows, 28, 1) for name, rows in FASHION_ROWS.items()}


def write_cifar10(folder):
    """The binary version: a tar of records of a label byte, then red, green and blue planes."""
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz", compresslevel=1) as tar:

        def add(name, content):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))

        classes = "airplane automobile bird cat deer dog frog horse ship truck"
        add("batches.meta.txt", (classes.replace(" ", "\n") + "\n\n").encode())
        for name, (labels, images) in cifar10().items():
            planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
            add(name, np.concatenate([labels[:, None], planes], axis=1).tobytes())


def write_fashion_mnist(folder):
    """Four gzipped idx files: a magic number, sizes, all big-endian, then the bytes."""
    for name, (labels, images) in fashion_mnist().items():
        header = struct.pack(">IIII", 0x803, *images.shape[:3])
        with gzip.open(folder / f"{name}-images-idx3-ubyte.gz", "wb") as file:
            file.write(header + images.tobytes())
        with gzip.open(folder / f"{name}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 0x801, len(labels)) + labels.tobytes())


def write_tiny_shakespeare(folder):
    """The text as it is."""
    (folder / "input.txt").write_text(SHAKESPEARE)


def _images(seed, count, side, channels):
    rng = np.random.Generator(np.random.PCG64(seed))
    labels = rng.integers(0, CLASSES, count, dtype=np.uint8)
    noise = rng.integers(0, 56, (count, side, side, channels), dtype=np.uint8)
    return labels, (20 * labels[:, None, None, None] + noise).astype(np.uint8)


def put_in_place(data_dir, served):
    """Write all archives and make TFDS expect them; returns the server of the served ones."""
    from tensorflow_datasets.core.download import checksums
    from tensorflow_datasets.datasets.tiny_shakespeare import tiny_shakespeare_dataset_builder
    from tensorflow_datasets.image_classification import cifar, mnist

    manual = data_dir / "downloads" / "manual"
    for folder in (manual, served):
        folder.mkdir(parents=True, exist_ok=True)
    write_cifar10(manual)
    write_tiny_shakespeare(manual)
    write_fashion_mnist(served)
    for builder in (cifar.Cifar10, tiny_shakespeare_dataset_builder.Builder):
        for url, info in builder.url_infos.items():
            builder.url_infos[url] = checksums.compute_url_info(manual / info.filename)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=served)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mnist.FashionMNIST.URL = f"http://127.0.0.1:{server.server_port}/"
    infos = mnist.FashionMNIST.url_infos
    infos.clear()
    for file in served.iterdir():
        infos[mnist.FashionMNIST.URL + file.name] = checksums.compute_url_info(file)
    mnist._TRAIN_EXAMPLES, mnist._TEST_EXAMPLES = FASHION_ROWS.values()
    return server


def main():
    from algoperf_lite import environment
    from algoperf_lite.cli import invoke

    server = put_in_place(environment.data_directory(), environment.home() / "served")
    code = invoke(["prepare", *sys.argv[1:], "--json"])
    server.shutdown()
    server.server_close()
    sys.exit(code)


if __name__ == "__main__":
    main()
