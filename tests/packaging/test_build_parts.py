"""The steps around the freezing: libraries, licences, icons, archives, packages, installers, the report."""

from __future__ import annotations

import configparser
import io
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from importlib.util import find_spec
from pathlib import Path, PureWindowsPath

import pytest

import deb_check
import dev_build
import freeze_archives
import freeze_contents as contents
import freeze_icons
import freeze_installers
import freeze_linux
import freeze_metadata
import freeze_notices
import freeze_report
import linux_packages
from depthgui import __version__
from dev_environment import SetUpError
from freeze_contents import ROOT
from freeze_linux import Links

EPOCH_S = 1_700_000_000
READELF = """
 0x0000000000000001 (NEEDED)             Shared library: [libX11.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x000000000000000e (SONAME)             Library soname: [libthis.so.1]
  0x0010: Rev: 1  Flags: none  Index: 0  Cnt: 1  Name: libthis.so.1
  000000: Version: 1  File: libc.so.6  Cnt: 2
  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 4
  0x0020:   Name: GLIBC_2.34  Flags: none  Version: 3
"""


def links(**needed: list[str]) -> dict[Path, Links]:
    return {
        Path("bundle/_internal") / name.replace("__", "/"): Links(frozenset(names), (2, 31))
        for name, names in needed.items()
    }


def test_what_a_file_is_linked_to_is_read() -> None:
    assert freeze_linux.parse_readelf(READELF) == Links(frozenset({"libX11.so.6", "libc.so.6"}), (2, 34))


def tree() -> dict[Path, Links]:
    return {
        Path("bundle/_internal") / name: Links(frozenset(needed), glibc)
        for name, needed, glibc in [
            ("PySide6/Qt/plugins/platforms/libqxcb.so", ["libQt6XcbQpa.so.6", "libGL.so.1"], (2, 34)),
            ("PySide6/Qt/lib/libQt6XcbQpa.so.6", ["libxcb-image.so.0", "libc.so.6"], (2, 36)),
            ("libxcb-image.so.0", ["libxcb.so.1"], (2, 4)),
            ("libcairo.so.2", ["libpixman-1.so.0"], (2, 4)),
            ("libpixman-1.so.0", [], (2, 4)),
            ("libpython3.11.so.1.0", [], (2, 35)),
        ]
    }


def test_libraries_that_nothing_leads_to_are_dropped() -> None:
    doomed = freeze_linux.unneeded(tree(), contents.OPENED_AT_RUN_TIME)
    assert [path.name for path in doomed] == ["libcairo.so.2", "libpixman-1.so.0"]


def test_a_missing_library_is_named_with_what_needs_it() -> None:
    known = tree()
    assert freeze_linux.missing(known) == {}
    del known[Path("bundle/_internal/libxcb-image.so.0")]
    assert freeze_linux.missing(known) == {"libxcb-image.so.0": "libQt6XcbQpa.so.6"}


def test_the_newest_glibc_counts() -> None:
    assert freeze_linux.glibc_floor(tree()) == "2.36"


def png(size: int) -> bytes:
    return b"\x89PNG" + bytes([size % 256]) * size


def test_an_ico_has_every_size_where_its_index_says() -> None:
    pictures = {size: png(size) for size in freeze_icons.SIZES}
    data = freeze_icons.ico(pictures)
    _, kind, count = struct.unpack_from("<HHH", data)
    assert (kind, count) == (1, 7)
    seen = []
    for number in range(count):
        width, _, _, _, _, depth, length, offset = struct.unpack_from("<BBBBHHII", data, 6 + 16 * number)
        size = width or 256
        assert data[offset : offset + length] == pictures[size]
        assert depth == 32
        seen.append(size)
    assert seen == [16, 24, 32, 48, 64, 128, 256]


def test_an_icns_is_a_chain_of_pictures() -> None:
    pictures = {size: png(size) for size in freeze_icons.SIZES}
    data = freeze_icons.icns(pictures)
    assert data[:4] == b"icns"
    assert struct.unpack_from(">I", data, 4)[0] == len(data)
    found, place = {}, 8
    while place < len(data):
        kind, length = data[place : place + 4], struct.unpack_from(">I", data, place + 4)[0]
        found[kind] = data[place + 8 : place + length]
        place += length
    assert found[b"ic10"] == pictures[1024]
    assert found[b"icp4"] == pictures[16]


@pytest.fixture
def frozen(tmp_path: Path) -> linux_packages.Frozen:
    """A bundle of a few files, and icons."""
    bundle = tmp_path / "bundle"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "depthgui").write_bytes(b"\x7fELF program")
    (bundle / "depthgui").chmod(0o755)
    (bundle / "_internal" / "libreal.so.1").write_bytes(b"library")
    (bundle / "_internal" / "libreal.so").symlink_to("libreal.so.1")
    icons = tmp_path / "icons"
    icons.mkdir()
    for size in freeze_icons.SIZES:
        (icons / f"{size}.png").write_bytes(png(size))
    return linux_packages.Frozen(bundle, icons, "x86_64", "2.36", EPOCH_S)


installed_only = pytest.mark.skipif(
    not list(freeze_metadata.distributions()), reason="depthgui is not installed here, its parts aren't known"
)
posix_only = pytest.mark.skipif(os.name == "nt", reason="symbolic links and modes")


@posix_only
def test_the_tar_has_everything_and_nobody_in_it(frozen: linux_packages.Frozen, tmp_path: Path) -> None:
    path = linux_packages.write_tar_xz(frozen, tmp_path)
    assert path.name == f"depthgui-{__version__}-linux-x86_64.tar.xz"
    with tarfile.open(path) as archive:
        top = f"depthgui-{__version__}-linux-x86_64"
        program = archive.getmember(f"{top}/depthgui")
        assert (program.mode, program.uid, program.uname, program.mtime) == (0o755, 0, "root", EPOCH_S)
        assert archive.getmember(f"{top}/_internal/libreal.so").linkname == "libreal.so.1"
        assert f"{top}/share/icons/hicolor/256x256/apps/depthgui.png" in archive.getnames()
        readme = archive.extractfile(f"{top}/README.txt")
        assert readme is not None
        assert b"glibc 2.36" in readme.read()


@posix_only
def test_packing_twice_gives_the_same(frozen: linux_packages.Frozen, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        os.utime(frozen.bundle / "depthgui", (1, len(made) + 5))
        made.append(linux_packages.write_deb(frozen, "usage: depthgui", folder).read_bytes())
    assert made[0] == made[1]


def members_of_deb(data: bytes) -> dict[str, bytes]:
    assert data.startswith(b"!<arch>\n")
    found, place = {}, 8
    while place < len(data):
        head = data[place : place + 60]
        length = int(head[48:58])
        found[head[:16].decode().strip()] = data[place + 60 : place + 60 + length]
        place += 60 + length + length % 2
    return found


@posix_only
def test_the_deb_is_what_dpkg_expects(frozen: linux_packages.Frozen, tmp_path: Path) -> None:
    path = linux_packages.write_deb(frozen, "usage: depthgui [-h]\n.dot first", tmp_path)
    assert path.name == f"depthgui_{__version__}_amd64.deb"
    parts = members_of_deb(path.read_bytes())
    assert list(parts) == ["debian-binary", "control.tar.xz", "data.tar.xz"]
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(parts["control.tar.xz"]))) as archive:
        text = {member.name: archive.extractfile(member).read().decode() for member in archive}  # type: ignore[union-attr]
    assert f"\nVersion: {__version__}\n" in text["./control"]
    assert "Depends: libc6 (>= 2.36), libdbus-1-3, " in text["./control"]
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(parts["data.tar.xz"]))) as archive:
        names = archive.getnames()
        assert archive.getmember("./usr/bin/depthgui").linkname == "../lib/depthgui/depthgui"
        assert names.index("./usr/lib") < names.index("./usr/lib/depthgui/depthgui")
        files = {member.name for member in archive if member.isfile()}
    summed = {f"./{line.split('  ')[1]}" for line in text["./md5sums"].splitlines()}
    assert summed == files
    sizes = {int(found[1]) for name in names if (found := re.search(r"hicolor/(\d+)x\1/apps/depthgui\.png$", name))}
    assert sizes == set(freeze_icons.THEME_SIZES)
    for path in ("applications/depthgui.desktop", "man/man1/depthgui.1.gz", "doc/depthgui/copyright"):
        assert f"./usr/share/{path}" in files


@posix_only
@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg here")
def test_dpkg_reads_the_deb(frozen: linux_packages.Frozen, tmp_path: Path) -> None:
    path = linux_packages.write_deb(frozen, "usage", tmp_path)
    shown = subprocess.run(["dpkg-deb", "--info", path], capture_output=True, text=True, check=True).stdout
    assert "Package: depthgui" in shown
    subprocess.run(["dpkg-deb", "-x", path, tmp_path / "out"], check=True)
    assert (tmp_path / "out/usr/lib/depthgui/_internal/libreal.so").read_bytes() == b"library"


def test_versions_before_a_release_sort_before_it() -> None:
    assert linux_packages.debian_version("1.2.0rc1") == "1.2.0~rc1"
    assert linux_packages.debian_version("1.2.0") == "1.2.0"


def test_the_manual_page_has_no_line_that_roff_would_take_for_a_command(frozen: linux_packages.Frozen) -> None:
    page = linux_packages.manual("usage: depthgui\n.hidden\n'quoted\nback\\slash --flag", frozen)
    assert "\n\\&.hidden\n\\&'quoted\nback\\eslash \\-\\-flag\n" in page


def test_desktop_entry_and_metainfo_agree() -> None:
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(ROOT / "packaging/linux/depthgui.desktop", "utf-8")
    main = entry["Desktop Entry"]
    assert main["Exec"] == main["Icon"] == "depthgui"
    root = ET.parse(ROOT / "packaging/linux/org.depthgui.depthgui.metainfo.xml").getroot()
    assert root.findtext("id") == contents.IDENTIFIER
    assert root.findtext("launchable") == "depthgui.desktop"
    assert root.findtext("project_license") == "MIT"
    assert {item.text for item in root.iter("category")} == set(main["Categories"].strip(";").split(";"))
    application = (ROOT / "depthgui/app/root.py").read_text("utf-8")
    assert 'setDesktopFileName("depthgui")' in application


@installed_only
def test_every_part_of_the_build_has_a_licence_text() -> None:
    text = "\n".join(freeze_notices.package_sections())
    # numpy is a part because pyqtgraph needs it.
    for name, needed_by in {
        "PySide6": "PySide6",
        "pyqtgraph": "pyqtgraph",
        "numpy": "pyqtgraph",
        "aiohttp": "aiohttp",
    }.items():
        if find_spec(needed_by) is not None:
            assert re.search(rf"^{name}", text, re.MULTILINE | re.IGNORECASE), name
    assert re.search(r"^font.roboto", text, re.MULTILINE)
    for name, beginning in {"LGPL-3.0": "GNU LESSER", "GPL-3.0": "GNU GENERAL", "LGPL-2.1": "GNU LESSER"}.items():
        assert beginning in (ROOT / f"packaging/licences/{name}.txt").read_text("utf-8")[:200].upper()


@installed_only
def test_a_package_without_a_licence_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeze_notices, "licence_texts", lambda distribution: [])
    with pytest.raises(ValueError, match="installed without a licence text"):
        freeze_notices.package_sections()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("_internal/PySide6/Qt/lib/libicudata.so.73", "Qt: ICU"),
        ("_internal/PySide6/Qt/plugins/platforms/libqxcb.so", "Qt: libraries and plug-ins"),
        ("_internal/PySide6/QtGui.abi3.so", "PySide6: bindings"),
        ("_internal/numpy.libs/libscipy_openblas64_.so", "numpy: OpenBLAS"),
        ("_internal/libpython3.11.so.1.0", "Python"),
        ("_internal/libxcb-cursor.so.0", "system libraries"),
        ("depthgui", "program, modules and the rest"),
    ],
)
def test_the_report_knows_the_parts(name: str, part: str) -> None:
    assert freeze_report.part_of(name) == part


def test_what_is_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, package = tmp_path / "bundle", tmp_path / "depthgui.deb"
    bundle.mkdir()
    (bundle / "a").write_bytes(b"x" * 100)
    package.write_bytes(b"x" * 10)
    assert dev_build.check_sizes(bundle, [package]) == []
    monkeypatch.setattr(dev_build, "MOST_UNPACKED", 99)
    monkeypatch.setattr(dev_build, "MOST_PACKED", 9)
    assert len(dev_build.check_sizes(bundle, [package])) == 2


def stand_in_program(folder: Path, script: str) -> Path:
    path = folder / "depthgui"
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\nreport = sys.argv[sys.argv.index('--report') + 1]\n{script}\n"
    )
    path.chmod(0o755)
    return path


GOOD = "open(report, 'w').write('ok  check\\n' * 9 + 'all checks passed\\n')"


@posix_only
def test_the_self_test_gets_an_empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    script = "assert set(os.environ) <= {'HOME', 'PATH', 'QT_QPA_PLATFORM', 'LC_CTYPE'}, os.environ\n"
    script += f"assert not os.path.exists(os.environ['PATH'])\n{GOOD}"
    assert dev_build.self_test(stand_in_program(tmp_path, script))[-1] == "all checks passed"


@posix_only
@pytest.mark.parametrize(
    "script",
    ["raise SystemExit('no Qt')", f"{GOOD}; sys.exit(1)", "open(report, 'w').write('all checks passed\\n')"],
    ids=["dies", "fails", "checks nothing"],
)
def test_a_failed_self_test_fails_the_build(tmp_path: Path, script: str) -> None:
    with pytest.raises(SetUpError, match="the frozen self-test failed"):
        dev_build.self_test(stand_in_program(tmp_path, script))


def test_a_build_machine_without_its_libraries_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(dev_build.dev_apt, "install", lambda packages, say: False)
    monkeypatch.setattr(dev_build, "python_library", lambda: "libpython3.99.so.1.0")
    with pytest.raises(
        SetUpError, match=r"libpython3\.99\.so\.1\.0.* missing\. On Debian: .*binutils.* libpython3\.99"
    ):
        dev_build.ensure_build_machine()


def test_the_time_stamp_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12345")
    assert dev_build.source_epoch_s() == 12345
    assert dev_build.fixed_variables(12345)["PYTHONHASHSEED"] == "0"


def test_the_windows_script_gets_its_version_and_has_its_files(tmp_path: Path) -> None:
    command = freeze_installers.inno_command(tmp_path / "iscc", Path("bundle"), tmp_path)
    assert f"/DVersion={__version__}" in command
    script = Path(command[-1])
    text = script.read_text("utf-8")
    used = set(re.findall(r"\{#(\w+)\}", text)) - {"SourcePath"}
    assert used == {"Version", "Bundle"} == set(re.findall(r"#ifndef (\w+)", text))
    named = re.findall(r"\{#SourcePath\}\\(\S+)", text)
    places = [script.parent.joinpath(*PureWindowsPath(name).parts).resolve() for name in named]
    assert places == [ROOT / "LICENSE", ROOT / "build" / "icons" / "depthgui.ico"]
    assert re.search(r"^AppId=\{\{[0-9A-F-]{36}\}$", text, re.MULTILINE)


def test_signing_on_windows_is_a_command_of_the_owners() -> None:
    files = [Path("a.exe"), Path("b.exe")]
    assert freeze_installers.sign_command(files, {}) is None
    variables = {"DEPTHGUI_SIGN_COMMAND": 'signtool sign /fd sha256 /n "My Name"'}
    assert freeze_installers.sign_command(files, variables) == [
        *("signtool", "sign", "/fd", "sha256", "/n", "My Name", "a.exe", "b.exe")
    ]


def test_a_zip_comes_out_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "depthgui.exe").write_bytes(b"program")
    made = []
    for number in range(2):
        os.utime(folder / "depthgui.exe", (1, 10**9 + number * 10_000))
        target = tmp_path / f"{number}.zip"
        freeze_archives.zip_folder(target, folder, "depthgui-1", EPOCH_S)
        made.append(target.read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "0.zip") as archive:
        assert archive.namelist() == ["depthgui-1/depthgui.exe"]


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_the_script_for_macos_is_bash() -> None:
    script = ROOT / "packaging/macos/make_dmg.sh"
    assert os.access(script, os.X_OK) or os.name == "nt"
    subprocess.run(["bash", "-n", script], check=True)


def test_what_removing_the_package_leaves_is_seen() -> None:
    before = {"usr/bin/ls", "usr/share/doc/x"}
    after = before | {"usr/share/icons/hicolor/16x16/apps/depthgui.png", "etc/ld.so.cache"}
    assert deb_check.left_over(before, after) == ["usr/share/icons/hicolor/16x16/apps/depthgui.png"]
    assert deb_check.left_over(before, before) == []
