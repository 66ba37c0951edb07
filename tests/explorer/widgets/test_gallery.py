"""Every widget in every state is drawn without an error, at every theme and device ratio."""

import pytest
from PySide6.QtGui import QImage

from explorer.studio.gallery import draw_gallery
from explorer.studio.gallery_samples import SHEETS


@pytest.mark.parametrize(
    ("name", "ratio"),
    [
        ("dark", 1.5),
        *(pytest.param(name, 1.0, marks=pytest.mark.full) for name in ("light", "contrast-dark")),
    ],
)
def test_the_gallery_draws_every_sheet(qapp, tmp_path, caplog, name, ratio):
    paths = draw_gallery(qapp, tmp_path, [name], ratio)
    assert len(paths) == len(SHEETS)
    for path in paths:
        image = QImage(str(path))
        assert image.width() == round(1280 * ratio)
    assert not [record for record in caplog.records if "painting" in record.message]
