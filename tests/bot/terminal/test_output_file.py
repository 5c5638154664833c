from pathlib import Path

import pytest

from bot.terminal.output_file import OutputError, check_output, write_output


@pytest.fixture
def packets(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"packets")
    return path


def test_the_file_is_its_owners_alone_and_no_other_is_left(packets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    write_output(packets, folder / "x.pcap", force=False)
    assert [path.name for path in folder.iterdir()] == ["x.pcap"]
    assert (folder / "x.pcap").read_bytes() == b"packets"
    assert (folder / "x.pcap").stat().st_mode & 0o777 == 0o600


def test_a_file_that_appeared_meanwhile_is_not_replaced(packets: Path, tmp_path: Path) -> None:
    target = tmp_path / "x.pcap"
    check_output(target, force=False)
    target.write_text("somebody else's")
    with pytest.raises(OutputError, match="not replaced"):
        write_output(packets, target, force=False)
    assert target.read_text() == "somebody else's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "x.pcap"]
    write_output(packets, target, force=True)
    assert target.read_bytes() == b"packets"


def test_a_folder_that_went_is_a_sentence_and_leaves_nothing(packets: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="could not be written"):
        write_output(packets, tmp_path / "gone" / "x.pcap", force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_where_it_cannot_be_looked_whether_a_file_is_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot be looked at \(File name too long\): name another file\."):
        check_output(tmp_path / ("x" * 300), force=True)
