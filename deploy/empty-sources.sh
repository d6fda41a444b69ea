#!/bin/sh
# Creates an empty source file for every target of the manifests below this folder. Cargo can then build the
# dependencies before the code is copied, in an image layer that does not change with the code.
set -eu

for manifest in crates/*/Cargo.toml tests/Cargo.toml tests/bench/Cargo.toml; do
    folder=${manifest%/Cargo.toml}
    mkdir -p "$folder/src" "$folder/benches"
    : > "$folder/src/lib.rs"
    # Cargo refuses a workspace with a benchmark whose file is missing.
    sed -n '/^\[\[bench\]\]/,/^name/s/^name = "\(.*\)"$/\1/p' "$manifest" |
        while read -r bench; do : > "$folder/benches/$bench.rs"; done
done
for binary in api worker; do
    echo 'fn main() {}' > "crates/$binary/src/main.rs"
done
