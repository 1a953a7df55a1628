#!/bin/sh
# Puts a kernel and its modules into target/kernel, for the virtual machine of these tests: Debian's for clouds, which is small
# and has all of cgroup v2. Its package is unpacked and not installed, so no boot loader is touched. Removing the directory
# and running this again takes the newest one.
set -eu
cd "$(dirname "$0")/../.."
[ ! -e target/kernel/boot ] || exit 0

newest() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}
package=$(newest)
if [ -z "$package" ]; then
    apt-get update
    package=$(newest)
fi
[ -n "$package" ] || { echo "$0: no package linux-image-cloud-amd64 is known here: these tests need Debian's" >&2; exit 1; }

# Where it is unpacked, apt's own user may write.
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
chmod 777 "$new"
(cd "$new" && apt-get download "$package" && dpkg-deb -x ./*.deb unpacked)
mkdir -p target
rm -rf target/kernel
mv "$new/unpacked" target/kernel
