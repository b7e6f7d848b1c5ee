"""What is installed: version, types, cost of the import, README's program, use from C++."""

import re
import shutil
import statistics
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import pytensor
from pytensor import _C
from tools.build import build_folder

ROOT = Path(__file__).parents[1]
INSTALLED = Path(_C.__file__).parent
LIBRARY = INSTALLED / "lib" / "libpytensor.so"
README = (ROOT / "README.md").read_text()


def run_python(code: str) -> str:
    """Output of a fresh interpreter that sees the installed package and no checkout."""
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_version_comes_from_one_place() -> None:
    assert pytensor.__version__ == metadata.version("pytensor-dl")


def test_package_is_typed() -> None:
    folder = Path(pytensor.__file__).parent
    assert (folder / "py.typed").is_file()
    assert list(folder.glob("*.pyi"))


def test_import_is_quick_small_and_without_numpy() -> None:
    code = r"""
import re, sys, time
start = time.perf_counter()
import pytensor
seconds = time.perf_counter() - start
kilobytes = re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]
print(seconds, kilobytes, "numpy" in sys.modules)"""
    runs = [run_python(code).split() for _ in range(5)]
    assert min(float(seconds) for seconds, _, _ in runs) < 0.1
    assert statistics.median(int(kilobytes) for _, kilobytes, _ in runs) < 40_000
    assert {numpy for _, _, numpy in runs} == {"False"}


def tls_size(library: Path) -> int:
    """Bytes of thread-local storage in a 64-bit little-endian ELF file."""
    content = library.read_bytes()
    (offset,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", content, offset + i * size) for i in range(count)]
    return sum(header[6] for header in headers if header[0] == 7)


def test_thread_local_storage_fits_the_static_block() -> None:
    # Compiled for the static block, of which glibc keeps about 1.6 kB for all late libraries.
    assert tls_size(LIBRARY) + tls_size(Path(_C.__file__)) <= 1024


def test_readme_program_prints_what_it_says() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert run_python(program).strip() == program.strip().splitlines()[-1].split("# ")[1]


@pytest.mark.parametrize("target", re.findall(r"^    make (\w+)", README, re.MULTILINE))
def test_readme_commands_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_cpp_example_builds_on_the_package_and_learns(tmp_path: Path) -> None:
    cmake = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
    if cmake is None:
        pytest.skip("no cmake")
    source = ROOT / "examples" / "cpp"
    for command in (
        ["-S", source, "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={INSTALLED}"],
        ["--build", tmp_path],
    ):
        done = subprocess.run([cmake, *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    run = subprocess.run([tmp_path / "regression"], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout.endswith("y = 3.00 x + 2.00\n")


def test_wide_kernels_do_not_run_while_loading() -> None:
    # Code that runs at load runs on every processor: a table of kernels filled at start by a
    # file compiled for AVX would end the process on a machine without it.
    objects = [*build_folder().glob("CMakeFiles/pytensor_isa_avx*.dir/**/*.o")]
    objdump = shutil.which("objdump")
    if objdump is None or not objects:
        pytest.skip("no objdump, or no kernels for AVX in this build")
    command = [objdump, "-d", "--no-show-raw-insn", "-j", ".text.startup"]
    for path in objects:
        code = subprocess.run([*command, path], capture_output=True, text=True).stdout
        assert not re.search(r"%[xyz]mm", code), f"{path.name} uses vector registers at load"
