import hashlib

import pytest

from etpicker_plugin.engine.hashing import PIECE, file_sha256


@pytest.mark.parametrize("size", [0, 5, PIECE, 2 * PIECE + 3])
def test_a_file_s_digest_whatever_its_length(tmp_path, size):
    data = bytes(i % 251 for i in range(size))
    path = tmp_path / "a.bin"
    path.write_bytes(data)

    assert file_sha256(path) == hashlib.sha256(data).hexdigest()
    assert file_sha256(str(path)) == file_sha256(path)
