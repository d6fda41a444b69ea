#!/usr/bin/env bash
# Writes the components of each binary, as CycloneDX 1.5 JSON, into target/sbom: every crate with its version,
# licence, checksum and package URL, as locked in Cargo.lock.
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
# The tool writes a file beside each package of the workspace that has a binary, the tests' too.
trap 'rm -f tests/*.cdx.json tests/bench/*.cdx.json crates/*/*.cdx.json' EXIT
"$tool" cyclonedx --quiet --format json --spec-version 1.5 --describe binaries
for name in api worker; do
    mv "crates/$name/privachat-${name}_bin.cdx.json" "target/sbom/privachat-$name.cdx.json"
done
say "written: target/sbom/privachat-api.cdx.json target/sbom/privachat-worker.cdx.json"
