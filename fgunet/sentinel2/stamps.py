"""Whether the files of an acquisition are still what they were."""

from pathlib import Path

from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.contents import place_in_archive


def stamps(acquisition: Acquisition) -> dict[str, list[int]]:
    """Size (bytes) and time of change (ns) of each local file or archive, by path."""
    found = {}
    for path in (*acquisition.bands.values(), *acquisition.masks.values()):
        place = place_in_archive(path)
        file = Path(place[0] if place else path)
        if file.is_file():
            about = file.stat()
            found[str(file)] = [about.st_size, about.st_mtime_ns]
    return found
