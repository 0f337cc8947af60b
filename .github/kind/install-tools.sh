#!/bin/bash
# Puts kind, kubectl, ginkgo and e2e.test of one version of Kubernetes into /usr/local/bin, checked by the checksums published with them.
set -euo pipefail
version=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

GOBIN=$folder go install sigs.k8s.io/kind@v0.33.0
for file in bin/linux/amd64/kubectl kubernetes-test-linux-amd64.tar.gz; do
  name=${file##*/}
  curl --fail --silent --show-error --location --output "$name" "https://dl.k8s.io/$version/$file"
  sum=$(curl --fail --silent --show-error --location "https://dl.k8s.io/$version/$file.sha512")
  echo "$sum  $name" | sha512sum --check
done
tar -xzf kubernetes-test-linux-amd64.tar.gz --strip-components=3 kubernetes/test/bin/ginkgo kubernetes/test/bin/e2e.test
sudo install --mode=0755 kind kubectl ginkgo e2e.test /usr/local/bin
