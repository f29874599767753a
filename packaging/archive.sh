#!/bin/sh
# Packs an installed tree for a release: <name>-<version>-<target>.tar.gz beside its SHA-256. The same tree gives the same bytes:
# names are sorted; owners, times and modes do not depend on who packs, where or when.
#
#   packaging/archive.sh <prefix> <folder for the archive> [target]
#
# The target is that of rustc where it is not given. Needs GNU tar, gzip and sha256sum.
set -eu

if [ $# -lt 2 ]; then
  sed -n '5s/^# *//p' "$0" >&2
  exit 2
fi
prefix=$1
folder=$2
target=${3:-$(rustc -vV | sed -n 's/^host: //p')}
header=$prefix/include/pcml.h
if [ ! -f "$header" ]; then
  echo "$header: there is no installed tree" >&2
  exit 1
fi
number() { sed -n "s/^#define PCML_VERSION_$1 //p" "$header"; }
name=pcml-$(number MAJOR).$(number MINOR).$(number PATCH)-$target

mkdir -p "$folder"
tar --create --directory "$prefix" --transform "s,^\.,$name,S" --sort=name --owner=0 --group=0 --numeric-owner \
  --mode=u=rwX,go=rX --mtime=@"${SOURCE_DATE_EPOCH:-0}" --format=ustar --file "$folder/$name.tar" .
gzip -n -f "$folder/$name.tar"
cd "$folder"
sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
echo "$name.tar.gz"
