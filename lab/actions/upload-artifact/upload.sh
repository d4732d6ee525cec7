#!/usr/bin/env bash
# Copies the files of an artifact to the folder of the run.
set -euo pipefail
shopt -s nullglob
found=($FILES)
[ "${#found[@]}" -gt 0 ] || exit 0
mkdir -p "$LAB_ARTIFACTS/$NAME"
cp "${found[@]}" "$LAB_ARTIFACTS/$NAME/"
