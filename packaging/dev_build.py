"""``dev.py build``: freezes depthgui, tries what came out of it in an empty environment, measures it and packs it."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import dev_apt
import dev_qt
import freeze_contents as contents
import freeze_linux
import freeze_report
from dev_environment import FREEZE, ROOT, SetUpError, clean_variables, ensure, say
from linux_packages import Frozen, write_deb, write_tar_xz

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = ROOT / "packaging"
BUILD = ROOT / "build"
DIST = ROOT / "dist"
BUNDLE = DIST / "depthgui"
_SELF_TEST_S = 200
_LEAST_TESTED = 8
MOST_UNPACKED = 170_000_000
MOST_PACKED = 50_000_000
# Shared libraries that come from the build machine into the bundle, and the tools that look into it.
_BUILD_APT = ["binutils", *dev_qt.HEADLESS_APT, *dev_qt.SCREEN_APT]


def source_epoch_s() -> int:
    """The time to stamp on everything: SOURCE_DATE_EPOCH, else the last commit's, else the version file's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    if git := shutil.which("git"):
        asked = subprocess.run(
            [git, "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0 and asked.stdout.strip():
            return int(asked.stdout)
    return int((ROOT / "depthgui" / "_version.py").stat().st_mtime)


def fixed_variables(epoch_s: int) -> dict[str, str]:
    """Variables under which PyInstaller makes the same files each time."""
    return {
        **clean_variables(),
        "SOURCE_DATE_EPOCH": str(epoch_s),
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
    }


def step(command: Sequence[str | Path], variables: Mapping[str, str], what: str) -> str:
    """Run one step of the build and return what it printed.

    Raises:
        SetUpError: it ended with another code than 0.
    """
    result = subprocess.run(
        [str(part) for part in command],
        env=dict(variables),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = result.stdout.decode("utf-8", "replace")
    if result.returncode:
        tail = "\n".join(f"    {line}" for line in text.strip().splitlines()[-25:])
        raise SetUpError(f"{what} failed (exit code {result.returncode}):\n{tail}")
    return text


def python_library() -> str:
    """The name of the shared library of the Python that runs this; "" if it has none, or none that is missed."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    folder = sysconfig.get_config_var("LIBDIR") or ""
    return "" if ".so" not in name or (Path(folder) / name).exists() else name


def ensure_build_machine() -> None:
    """See to it that the system's libraries that go into the bundle are here. Linux only.

    Raises:
        SetUpError: some are not, and can't be installed from here.
    """
    if not sys.platform.startswith("linux"):
        return
    wanted = ["libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1", "libxkbcommon-x11.so.0"]
    packages = list(_BUILD_APT)
    if library := python_library():
        # Debian's Python is linked statically; its library, which a frozen program loads, is a package of its own.
        wanted.append(library)
        packages.append(library.partition(".so")[0])
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    known = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    missing = [name for name in wanted if name not in known]
    missing += [tool for tool in ("readelf", "strip", "dpkg") if not shutil.which(tool)]
    if missing and not dev_apt.install(packages, say):
        advice = f"On Debian: apt-get install -y --no-install-recommends {' '.join(packages)}"
        raise SetUpError(f"{', '.join(missing)} missing. {advice}")


def freeze(target: Path, epoch_s: int) -> None:
    """Make the bundle in the folder `target`/depthgui (on macOS also an .app)."""
    variables = fixed_variables(epoch_s)
    shutil.rmtree(target / "depthgui", ignore_errors=True)
    shutil.rmtree(BUILD / "metadata", ignore_errors=True)
    icon = ROOT / "resources" / "icons" / "depthgui.svg"
    step([FREEZE.python, HERE / "freeze_icons.py", icon, BUILD / "icons"], variables, "drawing the icons")
    say("freezing (about a minute)")
    options: list[str | Path] = [
        "--noconfirm",
        "--clean",
        "--log-level",
        "WARN",
        "--distpath",
        target,
        "--workpath",
        BUILD / "work",
    ]
    step([FREEZE.python, "-m", "PyInstaller", *options, HERE / "depthgui.spec"], variables, "PyInstaller")


def finish_on_linux(bundle: Path) -> str:
    """Drop and strip, then check that no library is missing; returns the glibc that the bundle needs."""
    dropped, stripped, links = freeze_linux.trim(bundle)
    say(f"dropped {dropped} libraries that nothing needs, stripped {stripped} files")
    if absent := freeze_linux.missing(links):
        lines = ", ".join(f"{name} (for {user})" for name, user in sorted(absent.items()))
        raise SetUpError(f"the bundle lacks libraries: {lines}")
    return freeze_linux.glibc_floor(links)


def write_notices(bundle: Path, epoch_s: int) -> None:
    """Put the licences of everything into the bundle."""
    target = bundle / "LICENSES.txt"
    command = [FREEZE.python, HERE / "freeze_notices.py", bundle, BUILD / "origins.json", target]
    step(command, fixed_variables(epoch_s), "collecting licences")


def programs(bundle: Path) -> list[Path]:
    """The programs to try: on Windows the one with a console first, on macOS also the one inside the application."""
    application = bundle.parent / f"{contents.TITLE}.app" / "Contents" / "MacOS" / "depthgui"
    names = [bundle / "depthgui-console.exe", bundle / "depthgui.exe", bundle / "depthgui", application]
    return [path for path in names if path.is_file()]


def empty_environment(home: Path) -> dict[str, str]:
    """Variables for a program that must not find anything of this machine's Python or Qt."""
    nowhere = str(home / "nothing")
    variables = {"HOME": str(home), "PATH": nowhere, "QT_QPA_PLATFORM": "offscreen"}
    if sys.platform == "win32":
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR") if name in os.environ}
        variables |= {**kept, "USERPROFILE": str(home), "LOCALAPPDATA": str(home), "APPDATA": str(home)}
        variables |= {"TEMP": str(home), "TMP": str(home)}
    return variables


def self_test(program: Path) -> list[str]:
    """Run the frozen program's self-test with nothing around it; returns its lines.

    Raises:
        SetUpError: a check failed, or too few were made.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        report = home / "report.txt"
        try:
            result = subprocess.run(
                [program, "--self-test", "--report", report],
                env=empty_environment(home),
                cwd=home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SELF_TEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SetUpError(f"the frozen self-test was not over after {_SELF_TEST_S} s") from error
        lines = report.read_text("utf-8").splitlines() if report.is_file() else []
        good = sum(line.startswith("ok ") for line in lines)
        if result.returncode or good < _LEAST_TESTED or lines[-1] != "all checks passed":
            said = "\n".join([*lines, result.stderr.decode("utf-8", "replace")])
            raise SetUpError(f"the frozen self-test failed (exit code {result.returncode}):\n{said}")
    return lines


def digest_of_folder(folder: Path) -> str:
    """One hash over names, modes and contents of all files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            digest.update(f"link {name} {path.readlink()}\n".encode())
        elif path.is_file():
            digest.update(f"file {name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def make_bundle(target: Path, epoch_s: int) -> tuple[Path, str]:
    """Freeze and finish; returns the bundle's folder and the glibc it needs ("" elsewhere than on Linux)."""
    freeze(target, epoch_s)
    bundle = target / "depthgui"
    glibc = finish_on_linux(bundle) if sys.platform.startswith("linux") else ""
    write_notices(bundle, epoch_s)
    return bundle, glibc


def pack(bundle: Path, glibc: str, epoch_s: int) -> list[Path]:
    """Write the packages of this system; returns them."""
    if not sys.platform.startswith("linux"):
        import freeze_installers

        return freeze_installers.pack(bundle, DIST, epoch_s)
    frozen = Frozen(bundle, BUILD / "icons", platform.machine(), glibc, epoch_s)
    with tempfile.TemporaryDirectory() as folder:
        help_text = step([bundle / "depthgui", "--help"], empty_environment(Path(folder)), "depthgui --help")
    say("packing the .tar.xz and the .deb, at the same time (a minute or two)")
    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(write_tar_xz, frozen, DIST), pool.submit(write_deb, frozen, help_text, DIST)]
        return [task.result() for task in tasks]


def check_sizes(bundle: Path, packages: Sequence[Path]) -> list[str]:
    """What is larger than it should be."""
    unpacked = freeze_report.size_of(bundle)
    problems = [f"the bundle is {unpacked / 1e6:.0f} MB"] if unpacked > MOST_UNPACKED else []
    return problems + [
        f"{path.name} is {path.stat().st_size / 1e6:.0f} MB" for path in packages if path.stat().st_size > MOST_PACKED
    ]


def build(arguments: list[str]) -> int:
    """Make the packages of this system; see --help."""
    parser = argparse.ArgumentParser(prog="packaging/dev.py build", description=__doc__)
    parser.add_argument("--no-packages", action="store_true", help="leave it at the folder dist/depthgui")
    parser.add_argument("--no-timing", action="store_true", help="don't measure the start")
    parser.add_argument("--twice", action="store_true", help="build a second time and compare, file by file")
    parser.add_argument(
        "--check-deb", action="store_true", help="install, start and remove the .deb in a clean Debian (root only)"
    )
    options = parser.parse_args(arguments)
    ensure(FREEZE)
    ensure_build_machine()
    DIST.mkdir(exist_ok=True)
    epoch_s = source_epoch_s()
    bundle, glibc = make_bundle(DIST, epoch_s)
    say("the frozen program tries itself, with nothing around it")
    for program in programs(bundle):
        lines = self_test(program)
        print("\n".join(f"    {line}" for line in lines), flush=True)
    if options.twice:
        with tempfile.TemporaryDirectory() as folder:
            other, _ = make_bundle(Path(folder), epoch_s)
            if digest_of_folder(bundle) != digest_of_folder(other):
                raise SetUpError("two builds of the same source differ")
        say(f"two builds are the same, sha256 {digest_of_folder(bundle)[:16]}")
    started_s = time.monotonic()
    packages = [] if options.no_packages else pack(bundle, glibc, epoch_s)
    if packages:
        say(f"packed in {time.monotonic() - started_s:.0f} s")
    starts = None if options.no_timing else freeze_report.start_times(programs(bundle)[0], FREEZE.python)
    text = freeze_report.report(bundle, packages, glibc, starts)
    (DIST / "build-report.txt").write_text(text, encoding="utf-8")
    print(text, flush=True)
    if options.check_deb:
        import deb_check

        deb_check.check(next(path for path in packages if path.suffix == ".deb"), BUILD / "deb-check")
    problems = check_sizes(bundle, packages)
    for problem in problems:
        say(f"too large: {problem}")
    return 1 if problems else 0


def wheel(arguments: list[str]) -> int:
    """Write wheel and sdist into dist/ and try the wheel in an environment of its own; arguments are not used."""
    del arguments
    import wheel_check

    ensure(FREEZE)
    variables = fixed_variables(source_epoch_s())
    made = wheel_check.build(FREEZE.python, DIST, lambda command, what: step(command, variables, what))
    say(f"wrote {', '.join(path.name for path in made)}")
    wheel_check.check(made)
    return 0
