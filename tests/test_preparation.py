import contextlib
import threading
from types import SimpleNamespace

import made_archives
import pytest
import requests

from algoperf_lite import dataset, preparation
from algoperf_lite.errors import MachineError
from workloads.datasets import catalog


@pytest.fixture
def no_extra_needed(monkeypatch):
    """TensorFlow is not missed; what is tested here ends before it is."""
    monkeypatch.setattr(preparation, "CATALOG_EXTRA", {})
    pytest.importorskip("importlib_resources")


@pytest.fixture
def asked(monkeypatch):
    """Requests go nowhere; returns the URLs asked for."""
    urls = []

    def get(url, **options):
        urls.append(url)
        assert options["timeout"] <= preparation.ANSWER_SECONDS
        raise requests.ConnectionError("Name or service not known")

    monkeypatch.setattr(requests, "get", get)
    return urls


def test_a_lite_workload_is_made_and_measured(tmp_path):
    found = preparation.prepare("digits_resnet", tmp_path)
    assert (found.workload, found.dataset, found.stated) == ("digits_resnet", "digits", True)
    assert found.rows == {"train": 599, "validation": 1198, "test": 1198}
    files = list((tmp_path / "digits").rglob("*.*"))
    assert 0 < found.bytes <= sum(f.stat().st_size for f in files if f.is_file())
    again = preparation.prepare("digits_resnet", tmp_path)
    assert again.fingerprint == found.fingerprint


def test_without_tensorflow_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "CATALOG_EXTRA", {"no_such_package": "TensorFlow"})
    with pytest.raises(MachineError, match=r"TensorFlow must .*'algoperf_lite\[catalog\]'"):
        preparation.prepare("cifar10_resnet", tmp_path)


def test_without_a_network_it_says_so_and_what_to_bring(tmp_path, no_extra_needed, asked):
    with pytest.raises(MachineError, match="no connection to fashion-mnist") as caught:
        preparation.prepare("fashion_mnist_cnn", tmp_path)
    assert len(asked) == 1  # one server
    assert f"copy {tmp_path / 'fashion_mnist'} here" in str(caught.value)
    assert str(tmp_path / "downloads" / "manual") in str(caught.value)
    assert str(caught.value).count("-ubyte.gz") == 5


def test_a_name_server_that_never_answers_is_not_waited_for(tmp_path, no_extra_needed, monkeypatch):
    given_up = threading.Event()

    def get(url, **options):
        given_up.wait(60)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setattr(preparation, "ANSWER_SECONDS", 0.05)
    with pytest.raises(MachineError, match=r"no answer within 0\.1 s"):
        preparation.prepare("cifar10_resnet", tmp_path)
    given_up.set()


def test_a_server_that_refuses_is_quoted(tmp_path, no_extra_needed, monkeypatch):
    refused = contextlib.nullcontext(SimpleNamespace(ok=False, status_code=503))
    monkeypatch.setattr(requests, "get", lambda url, **options: refused)
    with pytest.raises(MachineError, match="the server answers 503"):
        preparation.prepare("cifar10_resnet", tmp_path)


def test_an_archive_with_a_wrong_checksum_is_refused_without_a_network(
    tmp_path, no_extra_needed, asked
):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    made_archives.write_cifar10(manual)
    with pytest.raises(MachineError, match="wrong checksum") as caught:
        preparation.prepare("cifar10_resnet", tmp_path)
    assert "Delete that file" in str(caught.value)
    assert not asked


def test_training_points_to_prepare(tmp_path):
    with pytest.raises(MachineError, match="algoperf-lite prepare cifar10_vit"):
        dataset.load(catalog.CIFAR10, tmp_path, "cifar10_vit")
    assert dataset.data_fingerprint(catalog.CIFAR10, tmp_path) is None
    assert not preparation.is_prepared(catalog.CIFAR10, tmp_path)
