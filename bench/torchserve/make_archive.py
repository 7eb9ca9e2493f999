#!/usr/bin/env python3
"""Makes the archive of the BERT handler for TorchServe, bert.mar, in the directory named (default: beside this file).

It is what torch-model-archiver would make; that program need not be there, and the weights are made by the handler.
"""
import json
import pathlib
import sys
import zipfile

HANDLER = "bert_handler.py"
MANIFEST = {
    "createdOn": "01/01/2026 00:00:00",
    "runtime": "python",
    "model": {"modelName": "bert", "handler": HANDLER, "modelVersion": "1.0"},
    "archiverVersion": "0.12.0",
}


def main():
    here = pathlib.Path(__file__).resolve().parent
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "bert.mar"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(here / HANDLER, HANDLER)
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps(MANIFEST, indent=2))
    print(path)


if __name__ == "__main__":
    main()
