#!/bin/sh
# Lays out the file system of the image: rootfs.sh BINARY FOLDER. POSIX sh, because the Dockerfile's builder runs it too.
set -eu
mkdir -p "$2"
install -m 755 "$1" "$2/runner-guard"
# One file, two names: the name tells the stage (entrypoint or post-entrypoint), and the size is paid once.
ln -s runner-guard "$2/runner-guard-post"
mkdir "$2/tmp"
chmod 1777 "$2/tmp"
