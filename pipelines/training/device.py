"""Device: what a run computes on, and what it can do there."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import psutil

from pipelines.errors import WorkbenchError

DeviceKind = Literal["cpu", "cuda"]
Precision = Literal["float32", "bfloat16", "float16"]
BF16_GAIN = 1.25
"""On a CPU, bfloat16 has to multiply this much faster than float32 to be chosen."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something to train on."""

    kind: DeviceKind
    name: str
    memory_bytes: int
    """Memory that is free now: of the machine for a CPU, of the card for a GPU."""
    count: int = 1
    """How many of them: cores of a CPU, cards of the same kind."""


def best_device() -> Device:
    """The device a run takes by default, found without torch: the NVIDIA cards that are visible, else the CPU."""
    return visible_gpus() or cpu()


def cpu() -> Device:
    """The processor."""
    return Device("cpu", _cpu_name(), psutil.virtual_memory().available, cores())


def cores() -> int:
    """Cores this process may use; fewer when OMP_NUM_THREADS says so."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(allowed, int(wanted))) if wanted.isdecimal() else allowed


def visible_gpus() -> Device | None:
    """The NVIDIA cards torch would see, described by the first; None without a driver or when they are hidden."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and not hidden.replace("-1", "").strip(" ,"):
        return None
    command = ["nvidia-smi", "--query-gpu=name,memory.free", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip().splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    if not listed:
        return None
    name, free = listed[0].rsplit(",", 1)
    count = len(hidden.split(",")) if hidden else len(listed)
    return Device("cuda", name.strip(), int(free) * 2**20 if free.strip().isdecimal() else 0, count)


def _cpu_name() -> str:
    named = ""
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            named = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{named or platform.processor() or platform.machine()}, {cores()} {'core' if cores() == 1 else 'cores'}"


def torch_device(wanted: str) -> Device:
    """The device torch can use: "auto" takes a CUDA card where there is one. Raises WorkbenchError when "cuda" is wanted in vain."""
    import torch

    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return cpu()
    if not torch.cuda.is_available():
        raise WorkbenchError(
            "No CUDA card can be used: torch sees none. Install a CUDA build of torch and the driver, or train on the CPU."
        )
    return Device("cuda", torch.cuda.get_device_name(), int(torch.cuda.mem_get_info()[0]), torch.cuda.device_count())


def qlora_refusal() -> str | None:
    """Why 4-bit training is not possible here, as a sentence; None when it is. Does not import torch."""
    if importlib.util.find_spec("bitsandbytes") is None:
        return "4-bit training (qlora) needs the package bitsandbytes. Run: pip install bitsandbytes, or train with the method lora."
    if visible_gpus() is None:
        return "4-bit training (qlora) needs an NVIDIA card, and none can be seen. Train with the method lora."
    return None


def prepare_cpu() -> int:
    """Sets torch up to train on the processor, and returns how many threads it computes with.

    On Linux it also keeps freed memory: the allocator otherwise returns and asks again for gigabytes at every step,
    which costs a tenth to a fifth of the time.
    """
    import torch

    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_mmap_max = -1, -4  # from malloc.h
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, 2**31 - 1)
    torch.set_num_threads(quickest_threads())
    return torch.get_num_threads()


def quickest_threads() -> int:
    """How many threads multiply quickest now: on an idle machine all cores; on a busy one fewer, as they wait for each other."""
    import torch

    left, right = torch.ones(720, 576), torch.ones(576, 1536)
    candidates = sorted({cores(), (cores() + 1) // 2, 1}, reverse=True)
    if len(candidates) == 1:
        return 1
    seconds: dict[int, float] = {}
    before = torch.get_num_threads()
    try:
        for threads in candidates:
            torch.set_num_threads(threads)
            begun = time.perf_counter()
            for _ in range(50):
                left @ right
            seconds[threads] = time.perf_counter() - begun
    finally:
        torch.set_num_threads(before)
    return min(candidates, key=lambda threads: seconds[threads])


def choose_precision(wanted: str, device: DeviceKind) -> Precision:
    """The number format of the multiplications. "auto" takes bfloat16 where the device computes in it (cards) or gains by it (CPUs)."""
    import torch

    if wanted == "float32":
        return "float32"
    if device == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        if wanted == "bfloat16" and not has_bf16:
            raise WorkbenchError("This card does not compute in bfloat16. Set the precision of the run to auto.")
        return "bfloat16" if has_bf16 else "float16"
    return "bfloat16" if wanted == "bfloat16" or bf16_gain() >= BF16_GAIN else "float32"


def bf16_gain() -> float:
    """How many times faster this CPU multiplies in bfloat16 than in float32: a tenth where it is emulated, two and more with AMX."""
    import torch

    left, right = torch.ones(512, 576), torch.ones(576, 1536)
    half_left, half_right = left.bfloat16(), right.bfloat16()
    return _shortest(lambda: left @ right) / _shortest(lambda: half_left @ half_right)


def _shortest(work: Callable[[], Any], repeats: int = 12) -> float:
    """Seconds of the quickest of several runs: what the hardware can do, whatever else the machine is busy with."""
    quickest = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        quickest = min(quickest, time.perf_counter() - begun)
    return quickest


def peak_memory_bytes(device: DeviceKind) -> int:
    """The most memory this process has held so far: of the card for CUDA, of the machine for a CPU."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)
