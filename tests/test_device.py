"""Devices are found without torch, and the CPU is always one of them."""

import os
import subprocess
import sys

from core.device import _gpu_names, list_devices


def test_the_cpu_is_always_offered_last_with_its_name():
    devices = list_devices()
    assert list(devices)[-1] == "cpu"
    assert devices["cpu"]


def test_gpus_are_those_that_the_driver_reports(tmp_path, monkeypatch):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA H200'\necho 'NVIDIA T4'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert _gpu_names() == ["NVIDIA H200", "NVIDIA T4"]


def test_a_broken_driver_means_no_gpu(tmp_path, monkeypatch):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\nexit 9\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert _gpu_names() == []


def test_listing_devices_does_not_import_torch():
    code = "import sys, core.device; core.device.list_devices(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
