#!/usr/bin/env python3
"""Picks the inputs that together reach most: smallest_cover.py MERGE_CONTROL_FILE TARGET_FOLDER.

Greedily, at most MOST of them: the first ones reach nearly everything, each of the last one feature that no other does.
The control file is libFuzzer's (-merge=1 -merge_control_file=FILE): a count, the number of files done before, the files,
and the features of each in lines "FT index feature feature...".
"""
import hashlib
import os
import pathlib
import sys

MOST = 300


def main(control, target):
    lines = pathlib.Path(control).read_text().splitlines()
    files = lines[2:2 + int(lines[0])]
    features = {}
    for line in lines[2 + len(files):]:
        words = line.split()
        if words[0] == 'FT':
            features[int(words[1])] = set(map(int, words[2:]))
    everything = set().union(*features.values())
    missing, chosen = set(everything), []
    while missing and len(chosen) < MOST:
        best = max(features, key=lambda i: (len(features[i] & missing), -os.path.getsize(files[i]), files[i]))
        missing -= features[best]
        chosen.append(best)
    for i in chosen:
        content = pathlib.Path(files[i]).read_bytes()
        (pathlib.Path(target) / hashlib.sha1(content).hexdigest()).write_bytes(content)
    print(f'{len(chosen)} of {len(files)} inputs reach {len(everything - missing)} of {len(everything)} features')


if __name__ == '__main__':
    main(*sys.argv[1:])
