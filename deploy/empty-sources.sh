#!/bin/sh
# Gives every target that the manifests below this folder name an empty source, so that cargo can build
# the dependencies of the workspace before its code is there: a layer of the image that code does not change.
set -eu

for manifest in crates/*/Cargo.toml tests/Cargo.toml tests/bench/Cargo.toml; do
    folder=${manifest%/Cargo.toml}
    mkdir -p "$folder/src" "$folder/benches"
    : > "$folder/src/lib.rs"
    # Cargo reads no workspace that names a benchmark whose file is missing.
    sed -n '/^\[\[bench\]\]/,/^name/s/^name = "\(.*\)"$/\1/p' "$manifest" |
        while read -r bench; do : > "$folder/benches/$bench.rs"; done
done
for binary in api worker; do
    echo 'fn main() {}' > "crates/$binary/src/main.rs"
done
