#!/usr/bin/env bash
# Writes what each binary is made of, as CycloneDX 1.5 JSON, into target/sbom: every crate with its
# version, licence, checksum and package URL, as locked in Cargo.lock.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

version=0.5.9
scripts/install.sh run
tool=target/tools/bin/cargo-cyclonedx
if [[ "$("$tool" cyclonedx --version 2>/dev/null)" != *"$version" ]]; then
    say "building cargo-cyclonedx $version into target/tools, once"
    cargo install --quiet --locked --root target/tools --version "$version" cargo-cyclonedx
fi
mkdir -p target/sbom
for name in api worker; do
    "$tool" cyclonedx --quiet --manifest-path "crates/$name/Cargo.toml" --format json --spec-version 1.5 \
        --describe binaries --target x86_64-unknown-linux-gnu --override-filename sbom
done
