#!/bin/sh
# Collects programs of this Debian system, with the libraries they need and nothing else, into a root file system for an
# image without shell and package manager. Owns what is copied; which programs are wanted says the Dockerfile.
#
#   collect-root.sh TARGET FILE...     FILE: an installed program or shared object, by absolute path
set -eu

target=$1
shift

# The same merged layout as Debian's: /lib and the loader's path must lead to /usr/lib.
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then
    mkdir -p "$target/usr/$folder"
    ln -sfn "usr/$folder" "$target/$folder"
  fi
done

# Two forms of lines: `name => /path (0x…)`, and the loader's `/path (0x…)`. A library that is not found ends the build.
found=$(
  for file in "$@"; do
    libraries=$(ldd "$file")
    case $libraries in *'not found'*)
      printf '%s lacks libraries:\n%s\n' "$file" "$libraries" >&2
      exit 1
      ;;
    esac
    printf '%s\n' "$file"
    printf '%s\n' "$libraries" | grep -o '/[^ ]*'
  done
)
needed=$(printf '%s\n' "$found" | sort -u)

for file in $needed; do
  real=$(readlink -f "$file")
  mkdir -p "$target${real%/*}"
  cp -p "$real" "$target$real"
  # The name that programs ask for, beside the file.
  name=${file##*/}
  [ "$name" = "${real##*/}" ] || ln -sfn "${real##*/}" "$target${real%/*}/$name"
  # The loader is asked for by a path of its own (/lib64/ld-linux-x86-64.so.2).
  folder=$(readlink -f "${file%/*}")
  if [ "$folder" != "${real%/*}" ]; then
    mkdir -p "$target$folder"
    ln -sfn "$real" "$target$folder/$name"
  fi
done

# Licences, and what scanners read to know which packages are inside.
mkdir -p "$target/var/lib/dpkg/status.d"
for file in $needed; do
  real=$(readlink -f "$file")
  owner=$(dpkg-query --search "$real" 2>/dev/null || dpkg-query --search "${real#/usr}" 2>/dev/null) || continue
  package=${owner%%:*}
  dpkg-query --status "$package" >"$target/var/lib/dpkg/status.d/$package"
  mkdir -p "$target/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$target/usr/share/doc/$package/copyright"
done

mkdir -p "$target/etc/ssl/certs" "$target/tmp"
chmod 1777 "$target/tmp"
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n' >"$target/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$target/etc/group"
printf 'hosts: files dns\n' >"$target/etc/nsswitch.conf"
# nft -i edits lines and complains where it knows no terminal at all.
mkdir -p "$target/usr/share/terminfo/d"
cp -L /usr/share/terminfo/d/dumb "$target/usr/share/terminfo/d/dumb"
cp -L /etc/os-release "$target/etc/os-release"
